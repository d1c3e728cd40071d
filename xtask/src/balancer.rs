//! What stands in front of several servers in many places: a balancer that gives each connection, or each request, to the
//! next server that takes it.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::process;

/// The next server in turn.
struct Backends {
    addresses: Vec<SocketAddr>,
    next: AtomicUsize,
}

impl Backends {
    /// Connects to the next one that listens.
    fn connect(&self) -> Option<TcpStream> {
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        (first..first + self.addresses.len()).find_map(|at| {
            let address = self.addresses[at % self.addresses.len()];
            TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()
        })
    }
}

/// Gives each connection to one server, as balancers of TCP do. For gRPC the port 1,000 above leads to the same ports of
/// the servers. It works as long as this process lives.
pub(crate) fn per_connection(servers: &[SocketAddr]) -> anyhow::Result<SocketAddr> {
    let port = process::free_port_pair()?;
    for above in [0, 1_000] {
        let up = |server: &SocketAddr| SocketAddr::new(server.ip(), server.port() + above);
        let backends = Arc::new(Backends { addresses: servers.iter().map(up).collect(), next: 0.into() });
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, port + above)).context("listen for clients")?;
        thread::spawn(move || {
            for client in listener.incoming().filter_map(Result::ok) {
                let backends = backends.clone();
                thread::spawn(move || backends.connect().map(|server| join(client, server)));
            }
        });
    }
    Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
}

/// Moves bytes in both directions until either side ends.
fn join(client: TcpStream, server: TcpStream) {
    let (Ok(client_again), Ok(server_again)) = (client.try_clone(), server.try_clone()) else { return };
    thread::spawn(move || pump(client, server));
    pump(server_again, client_again);
}

fn pump(mut from: TcpStream, mut to: TcpStream) {
    // However it ends, both ends end.
    drop(io::copy(&mut from, &mut to));
    drop(from.shutdown(Shutdown::Both));
    drop(to.shutdown(Shutdown::Both));
}

/// Something that gives each request of HTTP/1.1 to the next server.
pub(crate) enum PerRequest {
    /// nginx with its defaults, which tries the next server where one refuses.
    Nginx(Child, SocketAddr),
    /// Our own.
    Own(SocketAddr),
}

impl PerRequest {
    /// Starts nginx where it is installed, else our own.
    pub(crate) fn start(servers: &[SocketAddr], folder: &Path) -> anyhow::Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, process::free_port_pair()?));
        if process::present("nginx", &["-v"]) {
            return nginx(address, servers, folder).map(|child| Self::Nginx(child, address));
        }
        let backends = Arc::new(Backends { addresses: servers.to_vec(), next: 0.into() });
        let listener = TcpListener::bind(address).context("listen for clients")?;
        thread::spawn(move || {
            for client in listener.incoming().filter_map(Result::ok) {
                let backends = backends.clone();
                // A request that broke off is the client's to see.
                thread::spawn(move || drop(one_request(client, &backends)));
            }
        });
        Ok(Self::Own(address))
    }

    /// Where clients connect.
    pub(crate) fn address(&self) -> SocketAddr {
        match self {
            Self::Nginx(_, address) | Self::Own(address) => *address,
        }
    }

    /// What it is, for people.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Nginx(..) => "nginx",
            Self::Own(_) => "our own balancer",
        }
    }
}

impl Drop for PerRequest {
    fn drop(&mut self) {
        if let Self::Nginx(child, _) = self {
            // It may have ended already.
            drop(child.kill());
            drop(child.wait());
        }
    }
}

fn nginx(address: SocketAddr, servers: &[SocketAddr], folder: &Path) -> anyhow::Result<Child> {
    std::fs::create_dir_all(folder).context("create the folder of nginx")?;
    let servers: String = servers.iter().map(|server| format!("server {server};")).collect();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|kind| format!("{kind}_temp_path {}/{kind};", folder.display()))
        .collect();
    // One process, so that killing it ends it. Long polls take 30 s.
    let text = format!(
        "daemon off; master_process off; pid {0}/pid; error_log {0}/error.log;\n\
         events {{ worker_connections 1024; }}\n\
         http {{ access_log off; {temporary} upstream muster {{ {servers} keepalive 16; }}\n\
         server {{ listen {address}; client_max_body_size 20m; location / {{ proxy_pass http://muster; \
         proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_read_timeout 60s; }} }} }}\n",
        folder.display()
    );
    let settings = folder.join("nginx.conf");
    std::fs::write(&settings, text).context("write the settings of nginx")?;
    let mut command = Command::new("nginx");
    command.arg("-c").arg(&settings).arg("-e").arg(folder.join("error.log"));
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("start nginx")?;
    for _ in 0..200 {
        if TcpStream::connect(address).is_ok() {
            return Ok(child);
        }
        thread::sleep(Duration::from_millis(20));
    }
    drop(child.kill());
    bail!("nginx does not listen; see {}", folder.join("error.log").display())
}

/// One request of a connection that is closed after it, so that the next one goes elsewhere.
fn one_request(mut client: TcpStream, backends: &Backends) -> io::Result<()> {
    let mut request = Vec::new();
    let mut buffer = [0; 16 << 10];
    let head = loop {
        if let Some(at) = request.windows(4).position(|end| end == b"\r\n\r\n") {
            break at + 4;
        }
        match client.read(&mut buffer)? {
            0 => return Ok(()),
            read => request.extend_from_slice(&buffer[..read]),
        }
    };
    let text = String::from_utf8_lossy(&request[..head]).to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    while request.len() < head + length.unwrap_or(0) {
        match client.read(&mut buffer)? {
            0 => return Ok(()),
            read => request.extend_from_slice(&buffer[..read]),
        }
    }
    let Some(mut server) = backends.connect() else { return Ok(()) };
    // The first line, then a header that ends both connections, then the rest without what the client wanted of that.
    let original = String::from_utf8_lossy(&request[..head - 2]).into_owned();
    let kept = original.split("\r\n").filter(|line| !line.to_ascii_lowercase().starts_with("connection:"));
    let mut sent = kept.collect::<Vec<_>>().join("\r\n");
    sent.push_str("Connection: close\r\n\r\n");
    server.write_all(sent.as_bytes())?;
    server.write_all(&request[head..])?;
    io::copy(&mut server, &mut client)?;
    client.shutdown(Shutdown::Both)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that answers each connection's first request with its number.
    fn server(number: usize) -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for mut client in listener.incoming().filter_map(Result::ok) {
                let read = client.read(&mut [0; 4096]).unwrap();
                assert!(read > 0);
                write!(client, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{number}").unwrap();
            }
        });
        address
    }

    fn ask(address: SocketAddr) -> char {
        let mut client = TcpStream::connect(address).unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n").unwrap();
        let mut told = String::new();
        client.read_to_string(&mut told).unwrap();
        told.chars().last().unwrap()
    }

    #[test]
    fn each_request_goes_to_the_next_server_that_listens() {
        let dead = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let addresses = vec![server(0), dead, server(2)];
        let backends = Arc::new(Backends { addresses, next: 0.into() });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let at = listener.local_addr().unwrap();
        thread::spawn(move || {
            for client in listener.incoming().filter_map(Result::ok) {
                one_request(client, &backends).unwrap();
            }
        });
        let told: String = (0..4).map(|_| ask(at)).collect();
        assert_eq!(told, "0220");
    }

    #[test]
    fn each_connection_goes_to_one_server() {
        let first = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let at = per_connection(&[first.local_addr().unwrap()]).unwrap();
        let mut client = TcpStream::connect(at).unwrap();
        client.write_all(b"there").unwrap();
        let (mut server, _) = first.accept().unwrap();
        let mut seen = [0; 5];
        server.read_exact(&mut seen).unwrap();
        server.write_all(b"and back").unwrap();
        drop(server);
        let mut told = String::new();
        client.read_to_string(&mut told).unwrap();
        assert_eq!((&seen, told.as_str()), (b"there", "and back"));
    }
}
