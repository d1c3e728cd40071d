//! How values on the command line are written.

/// The port that Nacos clients take where none is given.
const PORT: u16 = 8848;
/// The ports above the node's that Nacos clients use for gRPC.
const GRPC_OFFSET: u16 = 1_000;

/// The address of a node as `host:port`. Read leniently, because addresses are pasted: `http://` and a path are
/// taken off, and without a port it is 8848.
pub(super) fn server(text: &str) -> Result<String, String> {
    let bare = text.trim().strip_prefix("http://").unwrap_or(text.trim());
    let bare = bare.split_once('/').map_or(bare, |(authority, _)| authority);
    let (host, port) = split(bare).ok_or("expected ADDRESS or ADDRESS:PORT")?;
    if port.unwrap_or(PORT).checked_add(GRPC_OFFSET).is_none() {
        return Err("the port may be 64535 at most, because clients use port + 1000 for gRPC".to_owned());
    }
    Ok(format!("{host}:{}", port.unwrap_or(PORT)))
}

/// The address of an instance: host as Nacos clients give it, IPv6 without brackets, and port.
pub(super) fn instance(text: &str) -> Result<(String, u16), String> {
    match split(text.trim()) {
        Some((host, Some(port))) => Ok((host.trim_matches(['[', ']']).to_owned(), port)),
        Some((_, None)) | None => {
            Err("expected ADDRESS:PORT such as 10.0.0.7:8080 or [fd00::7]:8080".to_owned())
        }
    }
}

/// Host, with brackets if it is IPv6, and port; `None` if it is neither or the host is missing.
fn split(text: &str) -> Option<(&str, Option<u16>)> {
    let (host, rest) = match text.find(']') {
        Some(end) => text.split_at(end + 1),
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let is_ipv6 =
        host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).map(str::parse::<std::net::Ipv6Addr>);
    let is_host = match is_ipv6 {
        Some(parsed) => parsed.is_ok(),
        None => !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)),
    };
    let port = match rest.strip_prefix(':') {
        Some(port) => Some(port.parse().ok()?),
        None if rest.is_empty() => None,
        None => return None,
    };
    is_host.then_some((host, port))
}

/// A weight that Nacos allows.
pub(super) fn weight(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(weight) if (0.0..=10_000.0).contains(&weight) => Ok(weight),
        Ok(_) | Err(_) => Err("expected a number from 0 to 10000".to_owned()),
    }
}

/// `KEY=VALUE`.
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}
