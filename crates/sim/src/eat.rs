//! A clock on a wall in Nairobi, and one in Greenwich, worked out from the calendar's rules alone. The clients under test read
//! these times with code of their own.

use malipo_core::Timestamp;

/// UTC+3 all year.
const OFFSET_SECONDS: i64 = 3 * 3600;
const DAY_SECONDS: i64 = 86_400;

/// `20191219114550`
pub(crate) fn compact(at: Timestamp) -> String {
    let Wall { year, month, day, hour, minute, second } = Wall::read(at);
    format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}")
}

/// `20191219`
pub(crate) fn compact_date(at: Timestamp) -> String {
    let Wall { year, month, day, .. } = Wall::read(at);
    format!("{year:04}{month:02}{day:02}")
}

/// `19.12.2019 11:45:50`
pub(crate) fn dotted(at: Timestamp) -> String {
    let Wall { year, month, day, hour, minute, second } = Wall::read(at);
    format!("{day:02}.{month:02}.{year:04} {hour:02}:{minute:02}:{second:02}")
}

/// `19-12-2019 11.45am`
pub(crate) fn dashed(at: Timestamp) -> String {
    let Wall { year, month, day, minute, .. } = Wall::read(at);
    let (hour, half) = Wall::read(at).of_twelve();
    format!("{day:02}-{month:02}-{year:04} {hour:02}.{minute:02}{half}")
}

/// `19-12-2019 11:45 am`
pub(crate) fn dashed_apart(at: Timestamp) -> String {
    let Wall { year, month, day, minute, .. } = Wall::read(at);
    let (hour, half) = Wall::read(at).of_twelve();
    format!("{day:02}-{month:02}-{year:04} {hour:02}:{minute:02} {half}")
}

/// `2019-12-19T08:45:50.999Z`
pub(crate) fn iso_utc(at: Timestamp) -> String {
    let millis = at.unix_millis();
    let Wall { year, month, day, hour, minute, second } = Wall::at(millis.div_euclid(1000));
    let millis = millis.rem_euclid(1000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

struct Wall {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
}

impl Wall {
    fn read(at: Timestamp) -> Self {
        Self::at(at.unix_millis().div_euclid(1000) + OFFSET_SECONDS)
    }

    /// The hour as a clock with twelve of them shows it, and its half of the day.
    fn of_twelve(&self) -> (i64, &'static str) {
        let hour = if self.hour % 12 == 0 { 12 } else { self.hour % 12 };
        (hour, if self.hour < 12 { "am" } else { "pm" })
    }

    /// So many seconds after it showed the first midnight of 1970.
    fn at(seconds: i64) -> Self {
        let time = seconds.rem_euclid(DAY_SECONDS);
        let (mut year, mut day) = (1970, seconds.div_euclid(DAY_SECONDS));
        while day < 0 {
            year -= 1;
            day += days_of_year(year);
        }
        while day >= days_of_year(year) {
            day -= days_of_year(year);
            year += 1;
        }
        let mut month = 1;
        while day >= days_of_month(year, month) {
            day -= days_of_month(year, month);
            month += 1;
        }
        Self { year, month, day: day + 1, hour: time / 3600, minute: time / 60 % 60, second: time % 60 }
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_of_year(year: i64) -> i64 {
    if is_leap(year) { 366 } else { 365 }
}

fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wall_clock_follows_the_calendar() {
        for (utc, wall) in [
            ("2019-12-19T08:45:50.999Z", "19.12.2019 11:45:50"),
            ("1970-01-01T00:00:00Z", "01.01.1970 03:00:00"),
            ("1969-12-31T20:59:59.5Z", "31.12.1969 23:59:59"),
            ("2023-12-31T20:59:59Z", "31.12.2023 23:59:59"),
            ("2023-12-31T21:00:00Z", "01.01.2024 00:00:00"),
            ("2024-02-28T21:00:00Z", "29.02.2024 00:00:00"),
            ("2024-02-29T21:00:00Z", "01.03.2024 00:00:00"),
            ("2026-02-28T21:00:00Z", "01.03.2026 00:00:00"),
            ("2000-02-28T21:00:00Z", "29.02.2000 00:00:00"),
            ("2100-02-28T21:00:00Z", "01.03.2100 00:00:00"),
            ("2026-11-30T20:59:59Z", "30.11.2026 23:59:59"),
            ("2026-11-30T21:00:00Z", "01.12.2026 00:00:00"),
        ] {
            assert_eq!(dotted(Timestamp::parse_rfc3339(utc).unwrap()), wall, "{utc}");
        }
    }

    #[test]
    fn greenwich_tells_thousandths() {
        for text in ["2019-12-19T08:45:50.999Z", "1969-12-31T23:59:59.500Z", "2024-02-29T00:00:00.007Z"] {
            assert_eq!(iso_utc(Timestamp::parse_rfc3339(text).unwrap()), text);
        }
    }

    #[test]
    fn the_layouts_tell_the_same_time() {
        let at = Timestamp::parse_rfc3339("2024-07-01T07:05:05Z").unwrap();
        assert_eq!(dotted(at), "01.07.2024 10:05:05");
        assert_eq!(compact(at), "20240701100505");
        assert_eq!(compact_date(at), "20240701");
        for (utc, wall) in [
            ("2024-07-01T07:05:05Z", ["01-07-2024 10.05am", "01-07-2024 10:05 am"]),
            ("2024-07-01T09:00:00Z", ["01-07-2024 12.00pm", "01-07-2024 12:00 pm"]),
            ("2024-07-01T19:29:00Z", ["01-07-2024 10.29pm", "01-07-2024 10:29 pm"]),
            ("2024-07-01T21:09:00Z", ["02-07-2024 12.09am", "02-07-2024 12:09 am"]),
        ] {
            let at = Timestamp::parse_rfc3339(utc).unwrap();
            assert_eq!([dashed(at), dashed_apart(at)], wall, "{utc}");
        }
    }
}
