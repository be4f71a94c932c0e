//! Tables of plain text: columns as wide as they must be, numbers to the right.

/// A table that is filled row by row.
#[derive(Default)]
pub(crate) struct Table {
    titles: Vec<(String, Side)>,
    rows: Vec<Vec<String>>,
}

/// To which side a column is set.
#[derive(Clone, Copy)]
pub(crate) enum Side {
    Left,
    Right,
}

impl Table {
    /// A table with columns of text (`<title`) and of numbers (`title`).
    pub(crate) fn new(titles: &[&str]) -> Self {
        let title = |title: &&str| match title.strip_prefix('<') {
            Some(title) => (title.to_owned(), Side::Left),
            None => ((*title).to_owned(), Side::Right),
        };
        Self { titles: titles.iter().map(title).collect(), rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The lines, indented by two, columns two apart.
    pub(crate) fn lines(&self) -> Vec<String> {
        let widths: Vec<usize> =
            self.titles.iter().enumerate().map(|(at, (title, _))| self.width(at, title)).collect();
        let header: Vec<String> = self.titles.iter().map(|(title, _)| title.clone()).collect();
        std::iter::once(&header).chain(&self.rows).map(|cells| self.line(cells, &widths)).collect()
    }

    fn width(&self, at: usize, title: &str) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(at)).map(|cell| width_of(cell));
        cells.chain([width_of(title)]).max().unwrap_or_default()
    }

    fn line(&self, cells: &[String], widths: &[usize]) -> String {
        let mut line = " ".to_owned();
        for ((cell, width), (_, side)) in cells.iter().zip(widths).zip(&self.titles) {
            let space = " ".repeat(width.saturating_sub(width_of(cell)));
            line.push(' ');
            match side {
                Side::Left => line.extend([cell.as_str(), &space]),
                Side::Right => line.extend([space.as_str(), cell]),
            }
            line.push(' ');
        }
        line.trim_end().to_owned()
    }
}

/// Characters of a text; what a terminal shows for the texts that come up here.
fn width_of(text: &str) -> usize {
    text.chars().count()
}

/// A text for a cell of at most `width` characters: control characters shown, what is too long cut.
pub(crate) fn cell(text: &str, width: usize) -> String {
    let shown = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    if width_of(text) <= width {
        return text.chars().map(shown).collect();
    }
    let cut: String = text.chars().take(width.saturating_sub(1)).map(shown).collect();
    format!("{cut}…")
}

/// A whole number with thousands apart: `-1,234,567`.
pub(crate) fn grouped(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    let mut out = sign.to_owned();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Exact decimal text in whole units, half to even, with thousands apart.
pub(crate) fn whole_units(decimal: &str) -> String {
    let (negative, digits) = decimal.strip_prefix('-').map_or((false, decimal), |digits| (true, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let half = format!("5{}", "0".repeat(fraction.len().saturating_sub(1)));
    let odd = whole.bytes().last().is_some_and(|digit| !(digit - b'0').is_multiple_of(2));
    let up = match fraction.cmp(half.as_str()) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => odd,
        std::cmp::Ordering::Greater => true,
    };
    let rounded = whole.parse::<u128>().unwrap_or_default() + u128::from(up && !fraction.is_empty());
    let sign = if negative && rounded > 0 { "-" } else { "" };
    grouped(&format!("{sign}{rounded}"))
}

/// A share as percent with one digit.
pub(crate) fn percent(share: f64) -> String {
    // An empty sum is -0.
    format!("{:.1} %", share * 100.0 + 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(grouped("-1234567"), "-1,234,567");
        assert_eq!(grouped("123"), "123");
        assert_eq!(whole_units("1234.5"), "1,234");
        assert_eq!(whole_units("1235.5"), "1,236");
        assert_eq!(whole_units("1234.500001"), "1,235");
        assert_eq!(whole_units("-0.4"), "0");
        assert_eq!(whole_units("-999.999999"), "-1,000");
        assert_eq!(whole_units("12"), "12");
        assert_eq!(percent(0.0425), "4.2 %");
    }

    #[test]
    fn columns_are_as_wide_as_they_must_be() {
        let mut table = Table::new(&["<name", "n"]);
        table.row(["a".to_owned(), "1".to_owned()]);
        table.row(["longer".to_owned(), "10".to_owned()]);
        assert_eq!(table.lines(), ["  name     n", "  a        1", "  longer  10"]);
        assert_eq!(cell("long\u{7}er", 5), "long…");
    }
}
