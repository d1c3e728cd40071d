//! Sockets of this machine.

use super::{BoxFuture, BoxStream, Incoming, Network};
use std::io;
use tokio::net::{TcpListener, TcpStream};

/// TCP as the machine has it.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealNetwork;

impl Network for RealNetwork {
    fn connect<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<BoxStream>> {
        Box::pin(async move {
            let stream = TcpStream::connect(address).await?;
            // Messages are small and wait for each other.
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as BoxStream)
        })
    }

    fn listen<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Incoming>>> {
        Box::pin(async move {
            let listener = TcpListener::bind(address).await?;
            let address = listener.local_addr()?.to_string();
            Ok(Box::new(RealIncoming { listener, address }) as Box<dyn Incoming>)
        })
    }
}

struct RealIncoming {
    listener: TcpListener,
    address: String,
}

impl Incoming for RealIncoming {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<(BoxStream, String)>> {
        Box::pin(async move {
            let (stream, from) = self.listener.accept().await?;
            stream.set_nodelay(true)?;
            Ok((Box::new(stream) as BoxStream, from.to_string()))
        })
    }

    fn address(&self) -> String {
        self.address.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    #[tokio::test]
    async fn bytes_cross() {
        let mut incoming = RealNetwork.listen("127.0.0.1:0").await.unwrap();
        let address = incoming.address();
        let (connected, accepted) = tokio::join!(RealNetwork.connect(&address), incoming.accept());
        let (mut here, (mut there, _)) = (connected.unwrap(), accepted.unwrap());
        here.write_all(b"hello").await.unwrap();
        let mut got = [0; 5];
        there.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"hello");
    }
}
