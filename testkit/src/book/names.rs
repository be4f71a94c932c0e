//! Invented companies, their people and the names of what they do.

use super::dice::Dice;

const FIRST: [&str; 40] = [
    "amber", "north", "silver", "blue", "iron", "cedar", "maple", "stone", "river", "harbor", "bright",
    "green", "copper", "winter", "summer", "quiet", "swift", "golden", "crystal", "lunar", "solar", "east",
    "west", "south", "high", "deep", "clear", "red", "white", "black", "wild", "old", "new", "grand", "true",
    "free", "sky", "star", "fern", "oak",
];
const SECOND: [&str; 24] = [
    "wind", "field", "brook", "gate", "bridge", "crest", "ford", "haven", "light", "line", "mark", "path",
    "peak", "point", "ridge", "shore", "side", "spring", "view", "works", "yard", "wood", "mill", "dale",
];
const GIVEN: [&str; 24] = [
    "ada", "ben", "carla", "dmitri", "elena", "felix", "greta", "hugo", "ines", "jonas", "kira", "leo",
    "mira", "nils", "olga", "pablo", "quinn", "rosa", "sven", "tara", "uma", "viktor", "wanda", "yusuf",
];
const FAMILY: [&str; 24] = [
    "abel", "brandt", "castro", "dahl", "eriksen", "fischer", "garcia", "hansen", "ivanova", "jensen",
    "keller", "lopez", "moreau", "novak", "okafor", "petit", "rossi", "santos", "tanaka", "ueda", "vogel",
    "weber", "young", "zeman",
];

/// The people who look after clients. The last one takes over when another leaves.
pub(super) const OWNERS: [&str; 6] = ["amara", "bruno", "chen", "dagny", "elif", "farid"];

/// What a company does: how its use moves through the week and the year.
pub(super) struct Sector {
    /// Its name as attribute.
    pub(super) name: &'static str,
    /// The second word of the company's name.
    pub(super) word: &'static str,
    /// Use on a Saturday and a Sunday, in percent of a working day.
    pub(super) weekend: i64,
    /// Use by month, in percent of an ordinary month.
    pub(super) months: [i64; 12],
    /// Whether the days after Christmas are quiet.
    pub(super) rests_at_christmas: bool,
}

const ORDINARY_YEAR: [i64; 12] = [97, 101, 103, 101, 102, 100, 84, 76, 100, 104, 104, 103];

const fn ordinary(name: &'static str, word: &'static str) -> Sector {
    Sector { name, word, weekend: 9, months: ORDINARY_YEAR, rests_at_christmas: true }
}

/// All sectors, with how often each occurs in percent.
pub(super) static SECTORS: [(Sector, i64); 8] = [
    (ordinary("software", "Systems"), 20),
    (ordinary("logistics", "Logistics"), 15),
    (ordinary("finance", "Finance"), 12),
    (ordinary("manufacturing", "Manufacturing"), 13),
    (ordinary("health", "Clinics"), 12),
    (
        Sector {
            name: "retail",
            word: "Outfitters",
            weekend: 70,
            months: [88, 86, 92, 95, 97, 98, 94, 92, 100, 106, 132, 145],
            rests_at_christmas: false,
        },
        12,
    ),
    (
        Sector {
            name: "travel",
            word: "Travel",
            weekend: 80,
            months: [48, 58, 80, 115, 170, 225, 250, 240, 140, 80, 50, 52],
            rests_at_christmas: false,
        },
        8,
    ),
    (
        Sector {
            name: "education",
            word: "Academy",
            weekend: 15,
            months: [104, 108, 106, 104, 98, 72, 35, 40, 150, 138, 122, 96],
            rests_at_christmas: true,
        },
        8,
    ),
];

/// The stem of a client's name: the same for each book, different for the first 960 numbers.
pub(super) fn stem(number: i64) -> String {
    // 577 has no factor in common with 960, so neighbours get unlike names and none repeats early.
    let place = (number * 577 + 101).rem_euclid(960);
    let at = |list: &[&'static str], index: i64| {
        usize::try_from(index).ok().and_then(|index| list.get(index).copied())
    };
    format!("{}{}", at(&FIRST, place / 24).unwrap_or("north"), at(&SECOND, place % 24).unwrap_or("wind"))
}

/// The id of the client with this number, counted from 1.
pub(super) fn client_id(number: i64) -> String {
    id_of(&stem(number), number)
}

/// The id of a client known by a stem that may be another's.
pub(super) fn id_of(stem: &str, number: i64) -> String {
    format!("{stem}-{number:03}")
}

/// The name of a company: its stem with a capital, and another word.
pub(super) fn company(stem: &str, word: &str) -> String {
    let mut letters = stem.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{} {}", letters.as_str(), word)
}

/// The address of an invented person at a client; `.example` belongs to nobody.
pub(super) fn person(stem: &str, dice: &mut Dice) -> String {
    format!("{}.{}@{stem}.example", dice.pick(&GIVEN), dice.pick(&FAMILY))
}
