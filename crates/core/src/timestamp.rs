use std::fmt;
use std::time::{Duration, SystemTime};

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

/// A moment in time, in UTC. Prints as RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(jiff::Timestamp);

impl Timestamp {
    /// The start of 1970.
    pub const UNIX_EPOCH: Self = Self(jiff::Timestamp::UNIX_EPOCH);

    /// Whole milliseconds since the start of 1970; `None` outside the years -9999 to 9999.
    pub fn from_unix_millis(millis: i64) -> Option<Self> {
        jiff::Timestamp::from_millisecond(millis).ok().map(Self)
    }

    /// Milliseconds since the start of 1970, rounded down.
    pub fn unix_millis(self) -> i64 {
        self.0.as_millisecond()
    }

    /// The same moment for the standard library.
    pub fn to_system_time(self) -> SystemTime {
        self.0.into()
    }

    /// This moment moved by `duration` into the future, or the last representable one.
    #[must_use]
    pub fn saturating_add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration).unwrap_or(jiff::Timestamp::MAX))
    }

    /// How long after `earlier` this moment is; nothing where it is before it.
    pub fn saturating_since(self, earlier: Self) -> Duration {
        self.to_system_time().duration_since(earlier.to_system_time()).unwrap_or_default()
    }

    /// Reads RFC 3339 text, such as `2024-07-01T07:51:55.123Z`. `None` when it is anything else.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }

    /// Reads a time without a zone as East Africa Time (UTC+3, no daylight saving), laid out as `layout`
    /// says. `None` when the text has any other layout or names no real moment.
    pub fn parse_eat(text: &str, layout: EatLayout) -> Option<Self> {
        let (shape, format) = layout.shape_and_format();
        let fits = text.len() == shape.len()
            && text.bytes().zip(shape.bytes()).all(|(byte, expected)| match expected {
                b'0' => byte.is_ascii_digit(),
                _ => byte == expected,
            });
        if !fits {
            return None;
        }
        let civil = DateTime::strptime(format, text).ok()?;
        let zone = TimeZone::fixed(Offset::constant(3));
        civil.to_zoned(zone).ok().map(|zoned| Self(zoned.timestamp()))
    }

    /// This moment on an East African clock, laid out as `layout` says.
    pub fn format_eat(self, layout: EatLayout) -> String {
        let (_, format) = layout.shape_and_format();
        self.0.to_zoned(TimeZone::fixed(Offset::constant(3))).strftime(format).to_string()
    }

    pub(crate) fn from_jiff(timestamp: jiff::Timestamp) -> Self {
        Self(timestamp)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How gateways lay out a time without a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EatLayout {
    /// `19.12.2019 11:45:50`
    Dotted,
    /// `20191219114550`
    Compact,
}

impl EatLayout {
    /// The exact shape (`0` is any digit) and the format. The shape is checked first because the parser
    /// alone reads the 13 digits `2024070110515` as second 5.
    fn shape_and_format(self) -> (&'static str, &'static str) {
        match self {
            Self::Dotted => ("00.00.0000 00:00:00", "%d.%m.%Y %H:%M:%S"),
            Self::Compact => ("00000000000000", "%Y%m%d%H%M%S"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eat(text: &str, layout: EatLayout) -> Option<String> {
        Timestamp::parse_eat(text, layout).map(|time| time.to_string())
    }

    #[test]
    fn east_africa_is_three_hours_ahead() {
        assert_eq!(eat("19.12.2019 11:45:50", EatLayout::Dotted).as_deref(), Some("2019-12-19T08:45:50Z"));
        assert_eq!(eat("20240701105155", EatLayout::Compact).as_deref(), Some("2024-07-01T07:51:55Z"));
    }

    #[test]
    fn a_time_that_is_not_exactly_in_the_layout_is_refused() {
        for text in ["2024070110515", "202407011051550", "20241301105155", "2024070110515x", ""] {
            assert_eq!(eat(text, EatLayout::Compact), None, "{text}");
        }
        for text in ["29.02.2019 00:00:00", "1.8.2018 16:12:12", "01-08-2018 16:12:12", "01.08.2018 24:00:00"]
        {
            assert_eq!(eat(text, EatLayout::Dotted), None, "{text}");
        }
    }

    #[test]
    fn formatting_reads_back() {
        let time = Timestamp::parse_rfc3339("2026-11-22T21:30:05Z").unwrap();
        for layout in [EatLayout::Dotted, EatLayout::Compact] {
            assert_eq!(Timestamp::parse_eat(&time.format_eat(layout), layout), Some(time));
        }
        assert_eq!(time.format_eat(EatLayout::Dotted), "23.11.2026 00:30:05");
    }
}
