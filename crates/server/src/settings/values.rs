//! How values are written: sizes, durations, booleans, addresses.

use std::{
    net::{SocketAddr, ToSocketAddrs},
    time::Duration,
};

const SIZES: [(&str, u64); 7] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("B", 1),
];

const TIMES: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// Bytes: a whole number, or one with `KiB`, `MiB`, `GiB`, `kB`, `MB` or `GB`.
pub(super) fn bytes(text: &str) -> Result<u64, String> {
    scaled(text, &SIZES, 1)
        .ok_or_else(|| format!("expected a size such as 1048576 or \"10 MiB\", found {text:?}"))
}

/// A duration: a whole number with `ms`, `s`, `m`, `h` or `d`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    scaled(text, &TIMES, 0)
        .map(Duration::from_millis)
        .ok_or_else(|| format!("expected a duration such as \"500ms\", \"10s\" or \"30m\", found {text:?}"))
}

/// Bytes in a range.
pub(super) fn bytes_in(text: &str, min: u64, max: u64) -> Result<u64, String> {
    match bytes(text)? {
        value if (min..=max).contains(&value) => Ok(value),
        _ => Err(format!("expected a size from {} to {}, found {text:?}", show_bytes(min), show_bytes(max))),
    }
}

/// A duration that is not 0.
pub(super) fn timeout(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("0 would end everything at once: expected a duration such as \"10s\"".into()),
        timeout => Ok(timeout),
    }
}

fn scaled(text: &str, units: &[(&str, u64)], without_unit: u64) -> Option<u64> {
    let text = text.trim();
    let digits = text.bytes().take_while(|b| b.is_ascii_digit() || *b == b'_').count();
    let number: u64 = text[..digits].replace('_', "").parse().ok()?;
    let unit = text[digits..].trim();
    let scale = match unit {
        "" if without_unit > 0 || number == 0 => without_unit,
        unit => units.iter().find(|(name, _)| *name == unit)?.1,
    };
    number.checked_mul(scale)
}

/// A whole number in a range.
pub(super) fn number(text: &str, min: u64, max: u64) -> Result<u64, String> {
    match text.trim().replace('_', "").parse() {
        Ok(value) if (min..=max).contains(&value) => Ok(value),
        Ok(_) | Err(_) => Err(format!("expected a whole number from {min} to {max}, found {text:?}")),
    }
}

/// `true` or `false`.
pub(super) fn boolean(text: &str) -> Result<bool, String> {
    match text.trim() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(format!("expected true or false, found {text:?}")),
    }
}

/// `ADDRESS:PORT`, where the address is an IP or a name that resolves on this machine.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    let wrong = || format!("expected ADDRESS:PORT such as 127.0.0.1:8848 or [::1]:8848, found {text:?}");
    let address = text.trim().to_socket_addrs().map_err(|_| wrong())?.next().ok_or_else(wrong)?;
    port(&address.port().to_string())?;
    Ok(address)
}

/// A port that leaves room for the one of gRPC.
pub(super) fn port(text: &str) -> Result<u16, String> {
    match text.trim().parse() {
        Ok(port @ 1..=64_535) => Ok(port),
        Ok(_) | Err(_) => Err(format!(
            "the port must be from 1 to 64535, because port + 1000 is opened for gRPC clients too, found {text:?}"
        )),
    }
}

/// A port of its own, 0 for none.
pub(super) fn port_or_none(text: &str) -> Result<u16, String> {
    text.trim().parse().map_err(|_| format!("expected a port from 1 to 65535, or 0 for none, found {text:?}"))
}

/// Writes bytes with the largest binary unit that divides them.
pub(super) fn show_bytes(bytes: u64) -> String {
    for (unit, scale) in [("GiB", 1u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] {
        if bytes >= scale && bytes.is_multiple_of(scale) {
            return format!("{} {unit}", bytes / scale);
        }
    }
    bytes.to_string()
}

/// Writes a duration with the largest unit that divides it.
pub(super) fn show_duration(duration: Duration) -> String {
    let ms = duration.as_millis() as u64;
    let (unit, scale) =
        TIMES.into_iter().rev().find(|(_, scale)| ms.is_multiple_of(*scale)).unwrap_or(("ms", 1));
    if ms == 0 { "0s".into() } else { format!("{}{unit}", ms / scale) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_durations_read_as_they_are_written() {
        for (text, value) in
            [("10 MiB", 10 << 20), ("4096", 4096), ("1_000", 1000), ("2GB", 2_000_000_000), ("0", 0)]
        {
            assert_eq!(bytes(text), Ok(value), "{text}");
        }
        for text in ["500ms", "10s", "2m", "30d"] {
            assert_eq!(show_duration(duration(text).unwrap()), text);
        }
        for text in ["10", "soon", "-1s", "1.5s", "99999999999999999999s"] {
            assert!(duration(text).is_err(), "{text}");
        }
        for text in ["ten", "10 XiB", "-1", "18446744073709551615 GiB"] {
            assert!(bytes(text).is_err(), "{text}");
        }
        assert_eq!(show_bytes(10 << 20), "10 MiB");
        assert_eq!(show_bytes(1000), "1000");
    }

    #[test]
    fn what_would_end_everything_is_refused() {
        assert!(timeout("0s").is_err() && timeout("1ms").is_ok());
        assert!(bytes_in("1", 8 << 10, 1 << 20).is_err() && bytes_in("8 KiB", 8 << 10, 1 << 20).is_ok());
    }

    #[test]
    fn the_port_above_must_exist() {
        assert!(address("127.0.0.1:64535").is_ok());
        assert!(address("127.0.0.1:64536").is_err());
        assert!(address("127.0.0.1").is_err());
    }
}
