//! Would users recommend us: the net promoter score of clients, of segments and of the book, with the answers behind it.

use super::{HeadShare, heads};
use crate::id::{ClientId, Text};
use crate::rate::Z;
use crate::score::peers::segment;
use crate::signal::View;
use crate::signal::client::{detracts, promotes};
use crate::time::Instant;
use serde::Serialize;
use std::collections::BTreeMap;

/// What some users answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct NetPromoters {
    /// Answers: the latest of each user of a client, and those without a user.
    pub answers: u64,
    /// Of them 9 and 10.
    pub promoters: u64,
    /// Of them 7 and 8.
    pub passives: u64,
    /// Of them 0 to 6.
    pub detractors: u64,
    /// (promoters - detractors) / answers x 100; `None` of no answers.
    pub nps: Option<f64>,
    /// The lower end of its 95 % interval.
    pub low: Option<f64>,
    /// The upper end of its 95 % interval.
    pub high: Option<f64>,
}

impl NetPromoters {
    fn new(promoters: u64, passives: u64, detractors: u64) -> Self {
        let answers = promoters + passives + detractors;
        let counted = Self { answers, promoters, passives, detractors, ..Self::default() };
        if answers == 0 {
            return counted;
        }
        #[expect(clippy::cast_precision_loss, reason = "counts of answers are far below 2^53")]
        let [n, up, down] = [answers, promoters, detractors].map(|count| count as f64);
        // The adjusted Wald interval of Rocks (2016): three more answers, 3/4 of them promoters and 3/4 detractors.
        let (m, p, d) = (n + 3.0, (up + 0.75) / (n + 3.0), (down + 0.75) / (n + 3.0));
        let half = Z * ((p + d - (p - d) * (p - d)) / m).sqrt();
        let end = |end: f64| Some(end.clamp(-1.0, 1.0) * 100.0);
        Self {
            nps: Some((up / n - down / n) * 100.0),
            low: end(p - d - half),
            high: end(p - d + half),
            ..counted
        }
    }

    fn of(answers: &[u8]) -> Self {
        let count = |test: fn(u8) -> bool| heads(answers.iter().filter(|answer| test(**answer)).count());
        let (promoters, detractors) = (count(promotes), count(detracts));
        Self::new(promoters, heads(answers.len()) - promoters - detractors, detractors)
    }

    fn with(self, other: Self) -> Self {
        Self::new(
            self.promoters + other.promoters,
            self.passives + other.passives,
            self.detractors + other.detractors,
        )
    }
}

/// What the users of one client answered.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClientNps {
    /// The client.
    pub client: ClientId,
    /// Its segment.
    pub segment: Option<Text>,
    /// Its answers.
    #[serde(flatten)]
    pub answered: NetPromoters,
}

/// What the users of the clients of one segment answered.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SegmentNps {
    /// The segment; none is one, too.
    pub segment: Option<Text>,
    /// How many of its clients answered.
    pub clients: HeadShare,
    /// Their answers, taken together.
    #[serde(flatten)]
    pub answered: NetPromoters,
}

/// The net promoter score of a book.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BookNps {
    /// As of when.
    pub as_of: Instant,
    /// The window: answers older than so many days have aged out.
    pub days: u32,
    /// How many clients answered.
    pub clients: HeadShare,
    /// All answers, taken together: who has many users counts for more.
    pub total: NetPromoters,
    /// By segment in order of its name, those without one last.
    pub by_segment: Vec<SegmentNps>,
    /// Clients that answered, in order of ids.
    pub by_client: Vec<ClientNps>,
}

impl BookNps {
    /// Of clients in order of their ids.
    pub(crate) fn new<'v>(
        as_of: Instant,
        days: i32,
        clients: impl Iterator<Item = (&'v ClientId, View<'v>)>,
    ) -> Self {
        let mut segments: BTreeMap<(bool, Option<Text>), (u64, u64, NetPromoters)> = BTreeMap::new();
        let mut by_client = Vec::new();
        let (mut asked, mut total) = (0, NetPromoters::default());
        for (client, view) in clients {
            let answered = NetPromoters::of(&view.nps_answers(days));
            let segment = segment(&view);
            let (part, whole, sum) = segments.entry((segment.is_none(), segment.clone())).or_default();
            *part += u64::from(answered.answers > 0);
            *whole += 1;
            *sum = sum.with(answered);
            asked += 1;
            total = total.with(answered);
            if answered.answers > 0 {
                by_client.push(ClientNps { client: client.clone(), segment, answered });
            }
        }
        let row = |((_, segment), (part, whole, answered))| SegmentNps {
            segment,
            clients: HeadShare::new(part, whole),
            answered,
        };
        Self {
            as_of,
            days: days.unsigned_abs(),
            clients: HeadShare::new(heads(by_client.len()), asked),
            total,
            by_segment: segments.into_iter().map(row).collect(),
            by_client,
        }
    }
}
