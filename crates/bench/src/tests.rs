//! Every row, a few milliseconds each, against the floor in this process: the bench itself works.

use crate::{
    floor,
    rows::{self, Row},
    server::{Kind, Server},
    sizes::Sizes,
};
use clap::ValueEnum;
use tokio::{net::TcpListener, task::JoinSet};

#[tokio::test]
async fn every_row_runs_against_the_floor() {
    let directory = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut floor = JoinSet::new();
    floor.spawn(floor::serve(listener));
    let server = Server::attached(Kind::Floor, address, std::process::id(), directory.path()).unwrap();
    for row in Row::value_variants().iter().filter(|row| row.runs_on_floor()) {
        let figures = rows::run(*row, &server, &Sizes::smoke()).await.unwrap_or_else(|error| {
            panic!("{}: {error:?}", row.name());
        });
        assert_eq!(figures.row, row.name());
        assert!(!figures.values.is_empty(), "{} measured nothing", row.name());
        assert!(figures.values.iter().all(|value| value.amount.is_finite()), "{figures}");
    }
    assert!(floor.try_join_next().is_none(), "the floor ended");
}
