//! More changes of an Eureka registry than its delta can tell.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, bail};

/// How many instances come and go: more than the 65,536 changes that a delta holds.
const INSTANCES: usize = 70_000;

/// Items of a batch, as many as a peer sends.
const BATCH: usize = 250;

/// Lets instances come and go at the server on this port, in batches as a peer would tell of them. The registry is as
/// before afterwards.
pub(super) fn flood(port: u16) -> anyhow::Result<()> {
    let stream = TcpStream::connect(("127.0.0.1", port)).context("connect for the flood")?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).context("limit the wait for an answer")?;
    let mut reader = BufReader::new(stream.try_clone().context("share the connection")?);
    let mut writer = stream;
    // Only what a reader may have missed is missing: somebody reads, and there is something to be read.
    exchange(
        &mut reader,
        &mut writer,
        port,
        "POST",
        "peerreplication/batch/",
        &of_items(&[registration(INSTANCES)]),
    )?;
    exchange(&mut reader, &mut writer, port, "GET", "apps", "")?;
    for first in (0..INSTANCES).step_by(BATCH / 2) {
        let body = batch(first, first + BATCH / 2);
        let answer = exchange(&mut reader, &mut writer, port, "POST", "peerreplication/batch/", &body)?;
        all_taken(&answer)?;
    }
    exchange(
        &mut reader,
        &mut writer,
        port,
        "POST",
        "peerreplication/batch/",
        &of_items(&[cancellation(INSTANCES)]),
    )?;
    Ok(())
}

/// One request on a kept connection; the body of its answer.
fn exchange(
    reader: &mut impl BufRead,
    writer: &mut impl Write,
    port: u16,
    method: &str,
    path: &str,
    body: &str,
) -> anyhow::Result<Vec<u8>> {
    let head = format!(
        "{method} /eureka/{path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: application/json\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    writer.write_all(head.as_bytes()).context("send a request's head")?;
    writer.write_all(body.as_bytes()).context("send a request's body")?;
    read_answer(reader).with_context(|| format!("read the answer to {method} {path}"))
}

/// A registration and a cancellation for each of these instances.
fn batch(from: usize, to: usize) -> String {
    let items: Vec<_> = (from..to).flat_map(|number| [registration(number), cancellation(number)]).collect();
    of_items(&items)
}

fn of_items(items: &[String]) -> String {
    format!(r#"{{"replicationList":[{}]}}"#, items.join(","))
}

fn registration(number: usize) -> String {
    format!(
        r#"{{"appName":"FLOOD","id":"{number}","lastDirtyTimestamp":1,"status":"UP","action":"Register","instanceInfo":{{"instanceId":"{number}","hostName":"127.0.0.1","app":"FLOOD","ipAddr":"127.0.0.1","status":"UP","port":{{"$":{port},"@enabled":"true"}},"vipAddress":"flood","lastDirtyTimestamp":"1","dataCenterInfo":{{"@class":"com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo","name":"MyOwn"}}}}}}"#,
        port = number % 60_000 + 1,
    )
}

fn cancellation(number: usize) -> String {
    format!(r#"{{"appName":"FLOOD","id":"{number}","action":"Cancel"}}"#)
}

/// One answer on a kept connection; its body must say its length.
fn read_answer(reader: &mut impl BufRead) -> anyhow::Result<Vec<u8>> {
    let mut status = String::new();
    reader.read_line(&mut status)?;
    let mut length = None;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = Some(value.trim().parse::<u64>()?);
        }
    }
    let mut body = Vec::new();
    reader.take(length.context("no Content-Length")?).read_to_end(&mut body)?;
    if status.split(' ').nth(1) != Some("200") {
        bail!("{} {}", status.trim_end(), String::from_utf8_lossy(&body));
    }
    Ok(body)
}

/// Every item of a batch must have been taken.
fn all_taken(body: &[u8]) -> anyhow::Result<()> {
    let answer: serde_json::Value = serde_json::from_slice(body).context("the answer is no JSON")?;
    let items = answer["responseList"].as_array().context("no responseList")?;
    if let Some(refused) = items.iter().find(|item| item["statusCode"] != 200) {
        bail!("an item was refused: {refused}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_json_with_two_items_an_instance() {
        let read: serde_json::Value = serde_json::from_str(&batch(3, 5)).unwrap();
        let items = read["replicationList"].as_array().unwrap();
        let told: Vec<_> = items.iter().map(|item| (item["action"].as_str().unwrap(), &item["id"])).collect();
        assert_eq!(
            told,
            [
                ("Register", &"3".into()),
                ("Cancel", &"3".into()),
                ("Register", &"4".into()),
                ("Cancel", &"4".into())
            ]
        );
    }

    #[test]
    fn answers_follow_each_other_on_a_connection() {
        let good = "HTTP/1.1 200 OK\r\ncontent-length: 19\r\n\r\n{\"responseList\":[]}";
        let two = format!("{good}HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n");
        let mut two = two.as_bytes();
        read_answer(&mut two).unwrap();
        assert!(read_answer(&mut two).unwrap_err().to_string().contains("500"));
    }

    #[test]
    fn a_refused_item_is_a_failure() {
        let body = r#"{"responseList":[{"statusCode":404}]}"#;
        assert!(all_taken(body.as_bytes()).unwrap_err().to_string().contains("404"));
    }
}
