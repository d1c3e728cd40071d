//! A MySQL server that connects and greets is well. Unlike in Nacos (naming `MysqlHealthCheckProcessor`) no command is
//! run: that takes the database's own login, and a password that is stored for it.
//!
//! A client that goes away after the greeting counts against its host, which the server shuts out after 100 times
//! (`max_connect_errors`). So the check answers with the checker's user and no password; whether that is taken or
//! denied, it is no such error.

use std::io;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The largest packet that is read before a login, bytes.
const PACKET_MAX: usize = 64 << 10;
/// The protocol of a greeting, since MySQL 3.21.
const PROTOCOL: u8 = 10;
/// Protocol 4.1, secure connection, named plugin.
const CAPABILITIES: u32 = 0x0000_0200 | 0x0000_8000 | 0x0008_0000;
const UTF8_MB4: u8 = 45;
const PLUGIN: &[u8] = b"mysql_native_password";
/// The first byte of a server's request for another way to log in.
const SWITCH_PLUGIN: u8 = 0xfe;
const OK: u8 = 0;
const COM_QUIT: u8 = 1;

/// Whether the server greets. What is no greeting may be an error that it tells, as too many connections.
pub(super) async fn greeting(stream: &mut TcpStream) -> io::Result<bool> {
    let (sequence, packet) = read(stream).await?;
    // Protocol, version up to a zero, connection id, first part of the challenge and a zero.
    let version = packet.get(1..).and_then(|rest| rest.iter().position(|byte| *byte == 0));
    let is_whole = version.is_some_and(|len| len > 0 && packet.len() > 1 + len + 1 + 4 + 8);
    Ok(sequence == 0 && packet.first() == Some(&PROTOCOL) && is_whole)
}

/// Ends a connection that was greeted, as a client does.
pub(super) async fn leave(stream: &mut TcpStream, user: &str) -> io::Result<()> {
    write(stream, 1, &login(user)).await?;
    let (sequence, mut answer) = read(stream).await?;
    if answer.first() == Some(&SWITCH_PLUGIN) {
        write(stream, sequence.wrapping_add(1), &[]).await?;
        answer = read(stream).await?.1;
    }
    if answer.first() == Some(&OK) {
        write(stream, 0, &[COM_QUIT]).await?;
    }
    Ok(())
}

fn login(user: &str) -> Vec<u8> {
    let mut packet = Vec::with_capacity(64 + user.len());
    packet.extend_from_slice(&CAPABILITIES.to_le_bytes());
    packet.extend_from_slice(&(PACKET_MAX as u32).to_le_bytes());
    packet.push(UTF8_MB4);
    packet.extend_from_slice(&[0; 23]);
    packet.extend(user.bytes().filter(|byte| *byte != 0).take(255));
    // The end of the user, and a password of no bytes.
    packet.extend_from_slice(&[0, 0]);
    packet.extend_from_slice(PLUGIN);
    packet.push(0);
    packet
}

async fn read(stream: &mut TcpStream) -> io::Result<(u8, Vec<u8>)> {
    let mut header = [0; 4];
    stream.read_exact(&mut header).await?;
    let len = u32::from_le_bytes([header[0], header[1], header[2], 0]) as usize;
    if len > PACKET_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut packet = vec![0; len];
    stream.read_exact(&mut packet).await?;
    Ok((header[3], packet))
}

async fn write(stream: &mut TcpStream, sequence: u8, packet: &[u8]) -> io::Result<()> {
    let mut bytes = (packet.len() as u32).to_le_bytes().to_vec();
    bytes[3] = sequence;
    bytes.extend_from_slice(packet);
    stream.write_all(&bytes).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    /// The greeting of a MySQL 8.0.36.
    fn greeting_packet() -> Vec<u8> {
        let mut packet = vec![PROTOCOL];
        packet.extend_from_slice(b"8.0.36\0");
        packet.extend_from_slice(&7_u32.to_le_bytes());
        packet.extend_from_slice(b"abcdefgh\0");
        packet.extend_from_slice(&[0xff, 0xff, 255, 2, 0, 0xff, 0xdf, 21]);
        packet.extend_from_slice(&[0; 10]);
        packet.extend_from_slice(b"ijklmnopqrst\0caching_sha2_password\0");
        packet
    }

    /// What a server that says this finds, and whether it is greeted.
    async fn says(packets: Vec<(u8, Vec<u8>)>) -> (io::Result<bool>, Vec<Vec<u8>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut heard = Vec::new();
            for (sequence, packet) in packets {
                write(&mut stream, sequence, &packet).await.unwrap();
                if let Ok((_, packet)) = read(&mut stream).await {
                    heard.push(packet);
                }
            }
            heard
        };
        let client = async {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let greeted = greeting(&mut stream).await;
            if matches!(greeted, Ok(true)) {
                leave(&mut stream, "check").await.unwrap();
            }
            greeted
        };
        let (heard, greeted) = tokio::join!(server, client);
        (greeted, heard)
    }

    #[tokio::test]
    async fn a_server_that_greets_is_left_politely() {
        let switch = [&[SWITCH_PLUGIN][..], b"caching_sha2_password\0abcdefghijklmnopqrst\0"].concat();
        let denied = [&[0xff, 0x15, 0x04][..], b"#28000Access denied"].concat();
        let (greeted, heard) = says(vec![(0, greeting_packet()), (2, switch), (4, denied)]).await;
        assert!(greeted.unwrap());
        assert_eq!(heard.len(), 2);
        assert_eq!(heard[0][32..], *b"check\0\0mysql_native_password\0");
        assert!(heard[1].is_empty());
        let (greeted, heard) = says(vec![(0, greeting_packet()), (2, vec![OK, 0, 0, 2, 0, 0, 0])]).await;
        assert!(greeted.unwrap());
        assert_eq!(heard[1], [COM_QUIT]);
    }

    #[tokio::test]
    async fn an_error_and_another_protocol_are_no_greeting() {
        let blocked = [&[0xff, 0x69, 0x04][..], b"Host is blocked"].concat();
        assert!(!says(vec![(0, blocked)]).await.0.unwrap());
        assert!(!says(vec![(0, vec![PROTOCOL])]).await.0.unwrap());
        assert!(!says(vec![(0, b"\x0a8.0.36\0\x01\0\0".to_vec())]).await.0.unwrap());
        assert!(!says(vec![(7, greeting_packet())]).await.0.unwrap());
    }
}
