//! The two date formats of HTTP answers.

use muster_model::Timestamp;

struct Civil {
    year: u64,
    month: usize,
    day: u64,
    weekday: usize,
    hour: u64,
    minute: u64,
    second: u64,
    millisecond: u64,
}

/// The date of a timestamp, UTC (the algorithm of H. Hinnant, `chrono-compatible low-level date algorithms`).
fn civil(at: Timestamp) -> Civil {
    let (days, in_day) = (at.0 / 86_400_000, at.0 % 86_400_000);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let january_or_february = month_from_march >= 10;
    Civil {
        year: era * 400 + year_of_era + u64::from(january_or_february),
        month: ((month_from_march + 2) % 12) as usize,
        day: day_of_year - (153 * month_from_march + 2) / 5 + 1,
        weekday: ((days + 4) % 7) as usize,
        hour: in_day / 3_600_000,
        minute: in_day / 60_000 % 60,
        second: in_day / 1_000 % 60,
        millisecond: in_day % 1_000,
    }
}

/// `2025-01-01T00:00:00.000+00:00`, as error pages have it.
pub fn iso_date(at: Timestamp) -> String {
    let Civil { year, month, day, hour, minute, second, millisecond, .. } = civil(at);
    let month = month + 1;
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}+00:00")
}

/// `20250101000000`, as names of exports have it.
pub fn compact_date(at: Timestamp) -> String {
    let Civil { year, month, day, hour, minute, second, .. } = civil(at);
    let month = month + 1;
    format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}")
}

/// `Wed, 01 Jan 2025 00:00:00 GMT`, as headers have it (RFC 9110, 5.6.7).
pub fn http_date(at: Timestamp) -> String {
    const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let Civil { year, month, day, weekday, hour, minute, second, .. } = civil(at);
    let (weekday, month) = (DAYS[weekday], MONTHS[month]);
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_dates() {
        for (at, iso, http) in [
            (0, "1970-01-01T00:00:00.000+00:00", "Thu, 01 Jan 1970 00:00:00 GMT"),
            (951_782_400_123, "2000-02-29T00:00:00.123+00:00", "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_735_689_599_999, "2024-12-31T23:59:59.999+00:00", "Tue, 31 Dec 2024 23:59:59 GMT"),
            (1_795_253_250_274, "2026-11-21T09:27:30.274+00:00", "Sat, 21 Nov 2026 09:27:30 GMT"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000+00:00", "Mon, 01 Mar 2100 00:00:00 GMT"),
        ] {
            assert_eq!(iso_date(Timestamp(at)), iso);
            assert_eq!(http_date(Timestamp(at)), http);
            let digits: String = iso.chars().filter(char::is_ascii_digit).take(14).collect();
            assert_eq!(compact_date(Timestamp(at)), digits);
        }
    }
}
