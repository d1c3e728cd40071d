//! A GET, and the status of its answer (naming `HttpHealthCheckProcessor`). No redirect is followed.

use super::Finding;
use std::io;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The longest status line that is read, bytes.
const STATUS_LINE_MAX: usize = 1_024;

/// The bytes of a request. `headers` is `name:value|name:value`; what is no header is left out.
pub(super) fn request(host: &str, port: u16, path: &str, headers: &str) -> Vec<u8> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`~".contains(&byte);
    let pairs = headers.split('|').filter_map(|pair| pair.split_once(':'));
    let pairs = pairs.map(|(name, value)| (name.trim(), value.trim()));
    let pairs: Vec<_> = pairs
        .filter(|(name, value)| {
            let is_legal = !name.is_empty() && name.bytes().all(is_name);
            // The body of the answer is not read, so the connection is of no further use.
            is_legal && !value.contains(|c: char| c.is_control()) && !name.eq_ignore_ascii_case("connection")
        })
        .collect();
    let mut text = String::from("GET ");
    if !path.starts_with('/') {
        text.push('/');
    }
    for c in path.chars() {
        match c {
            c if c.is_ascii_graphic() && c != '#' => text.push(c),
            c => c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| text.push_str(&format!("%{byte:02X}"))),
        }
    }
    text.push_str(" HTTP/1.1\r\n");
    let has = |wanted: &str| pairs.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
    if !has("host") {
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        text.push_str(&format!("Host: {host}:{port}\r\n"));
    }
    if !has("user-agent") {
        text.push_str("User-Agent: Nacos-Server\r\n");
    }
    for (name, value) in pairs {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("Connection: close\r\n\r\n");
    text.into_bytes()
}

/// Sends a request and reads the status of the answer.
pub(super) async fn status(stream: &mut TcpStream, request: &[u8]) -> io::Result<u16> {
    stream.write_all(request).await?;
    let mut line = Vec::with_capacity(256);
    let mut scanned = 0;
    loop {
        if let Some(end) = line[scanned..].iter().position(|byte| *byte == b'\n') {
            return parse(&line[..scanned + end]).ok_or_else(|| io::ErrorKind::InvalidData.into());
        }
        scanned = line.len();
        if scanned >= STATUS_LINE_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if stream.read_buf(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

fn parse(line: &[u8]) -> Option<u16> {
    let rest = std::str::from_utf8(line).ok()?.strip_prefix("HTTP/1.")?;
    let (_, rest) = rest.split_once(' ')?;
    let digits = rest.trim_start().get(..3)?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// What a status means: 200 and the expected one are well; 503 and 302 are what a busy server answers.
pub(super) fn judge(status: u16, expected: u16) -> Finding {
    match status {
        200 => Finding::Well,
        status if status == expected => Finding::Well,
        302 | 503 => Finding::Doubtful,
        _ => Finding::Dead,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(host: &str, path: &str, headers: &str) -> String {
        String::from_utf8(request(host, 80, path, headers)).unwrap()
    }

    #[test]
    fn a_request_names_host_and_headers_and_nothing_is_smuggled() {
        assert_eq!(
            text("10.0.0.1", "health?x=1", ""),
            "GET /health?x=1 HTTP/1.1\r\nHost: 10.0.0.1:80\r\nUser-Agent: Nacos-Server\r\nConnection: close\r\n\r\n"
        );
        assert_eq!(
            text(
                "::1",
                "",
                "X-A: 1 |broken|host:h.example|User-Agent:me|bad name:x|Connection:keep-alive|X-B:a\r\nX-C:2"
            ),
            "GET / HTTP/1.1\r\nX-A: 1\r\nhost: h.example\r\nUser-Agent: me\r\nConnection: close\r\n\r\n"
        );
        assert!(
            text("h", "/a b\r\nX: y#f", "")
                .starts_with("GET /a%20b%0D%0AX:%20y%23f HTTP/1.1\r\nHost: h:80\r\n")
        );
        assert!(text("::1", "/", "").contains("Host: [::1]:80\r\n"));
    }

    #[test]
    fn a_status_line_is_read_as_servers_write_it() {
        for (line, status) in [
            ("HTTP/1.1 200 OK\r", Some(200)),
            ("HTTP/1.0 503", Some(503)),
            ("HTTP/1.1 204 \r", Some(204)),
            ("HTTP/2 200", None),
            ("HTTP/1.1 20", None),
            ("HTTP/1.1 x00 no", None),
            ("SSH-2.0-OpenSSH", None),
        ] {
            assert_eq!(parse(line.as_bytes()), status, "{line}");
        }
    }

    #[test]
    fn what_a_status_means() {
        for (status, expected, finding) in [
            (200, 200, Finding::Well),
            (200, 204, Finding::Well),
            (204, 204, Finding::Well),
            (204, 200, Finding::Dead),
            (302, 200, Finding::Doubtful),
            (301, 200, Finding::Dead),
            (503, 200, Finding::Doubtful),
            (503, 503, Finding::Well),
            (404, 200, Finding::Dead),
            (500, 200, Finding::Dead),
        ] {
            assert_eq!(judge(status, expected), finding, "{status}, expected {expected}");
        }
    }
}
