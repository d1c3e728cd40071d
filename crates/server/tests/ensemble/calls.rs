//! What clients ask, over Nacos's v1 API and Eureka's: one function a call, and what its answer means.

use crate::http::{Answer, Ask, Caller, NoAnswer, escaped};
use hyper::Method;
use muster_model::Md5;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The group of all configs here.
const GROUP: &str = "ENSEMBLE";
/// Asks for a read that sees every write that was acknowledged before it.
const LINEARIZABLE: (&str, &str) = ("X-Muster-Consistency", "linearizable");

/// How a write ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// It was carried out.
    Done,
    /// It was not, because the content was another one.
    Stale,
    /// It was not: nobody was reached.
    Not,
    /// Nobody knows.
    Unknown(String),
}

/// Publishes a config; with `over`, only over that content.
pub(crate) async fn publish(
    caller: &mut Caller,
    data_id: &str,
    content: &str,
    over: Option<&str>,
) -> Written {
    let query = format!("dataId={data_id}&group={GROUP}&content={}", escaped(content));
    let md5 = over.map(|over| Md5::of(over.as_bytes()).to_string());
    let form = ("content-type", "application/x-www-form-urlencoded");
    let headers: Vec<_> = [form].into_iter().chain(md5.as_deref().map(|md5| ("casMd5", md5))).collect();
    let ask =
        Ask { method: Method::POST, path: "/nacos/v1/cs/configs", headers: &headers, body: query.into() };
    match caller.call(&ask).await {
        Ok(answer) if answer.status == 200 && answer.text() == "true" => Written::Done,
        Ok(answer) if answer.text().contains("Cas publish fail") => Written::Stale,
        Ok(answer) => Written::Unknown(format!("{}: {}", answer.status, answer.text())),
        Err(NoAnswer::Refused) => Written::Not,
        Err(NoAnswer::Unknown(why)) => Written::Unknown(why),
    }
}

/// Reads a config: its content, or that there is none. With `barrier`, linearizably.
pub(crate) async fn read(
    caller: &mut Caller,
    data_id: &str,
    barrier: bool,
) -> Result<Option<String>, String> {
    let path = format!("/nacos/v1/cs/configs?dataId={data_id}&group={GROUP}");
    let headers: &[_] = if barrier { &[LINEARIZABLE] } else { &[] };
    let ask = Ask { method: Method::GET, path: &path, headers, body: Vec::new() };
    match caller.call(&ask).await {
        Ok(answer) if answer.status == 200 => Ok(Some(answer.text())),
        Ok(answer) if answer.status == 404 => Ok(None),
        Ok(answer) => Err(format!("{}: {}", answer.status, answer.text())),
        Err(why) => Err(format!("{why:?}")),
    }
}

/// An instance: a service or an application, and its number there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instance {
    pub(crate) service: String,
    pub(crate) number: u32,
}

impl Instance {
    /// Its address.
    pub(crate) fn ip(&self) -> String {
        let [_, a, b, c] = self.number.to_be_bytes();
        format!("10.{a}.{b}.{c}")
    }
}

/// How a registration or renewal ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Renewed {
    /// It is listed.
    Yes,
    /// The node does not know it.
    Unheard,
    /// The call failed.
    Failed(String),
}

fn renewed(answer: Result<Answer, NoAnswer>, is_yes: impl FnOnce(&Answer) -> Option<Renewed>) -> Renewed {
    match answer {
        Ok(answer) => {
            let said = is_yes(&answer);
            said.unwrap_or_else(|| Renewed::Failed(format!("{}: {}", answer.status, answer.text())))
        }
        Err(why) => Renewed::Failed(format!("{why:?}")),
    }
}

/// Registers over Nacos's v1, with a lease that beats keep.
pub(crate) async fn register(caller: &mut Caller, instance: &Instance) -> Renewed {
    let (service, ip) = (&instance.service, instance.ip());
    let path = format!("/nacos/v1/ns/instance?serviceName={service}&ip={ip}&port=8080&ephemeral=true");
    let answer = caller.call(&Ask::plain(Method::POST, &path)).await;
    renewed(answer, |answer| answer.is_ok().then_some(Renewed::Yes))
}

/// Sends a beat over Nacos's v1.
pub(crate) async fn beat(caller: &mut Caller, instance: &Instance) -> Renewed {
    let (service, ip) = (&instance.service, instance.ip());
    let path = format!("/nacos/v1/ns/instance/beat?serviceName={service}&ip={ip}&port=8080");
    let answer = caller.call(&Ask::plain(Method::PUT, &path)).await;
    renewed(answer, |answer| {
        let body: Value = serde_json::from_slice(&answer.body).ok()?;
        match body["code"].as_i64() {
            Some(10_200) => Some(Renewed::Yes),
            Some(20_404) => Some(Renewed::Unheard),
            _ => None,
        }
    })
}

/// Removes what [`register`] did.
pub(crate) async fn deregister(caller: &mut Caller, instance: &Instance) -> Renewed {
    let (service, ip) = (&instance.service, instance.ip());
    let path = format!("/nacos/v1/ns/instance?serviceName={service}&ip={ip}&port=8080&ephemeral=true");
    let answer = caller.call(&Ask::plain(Method::DELETE, &path)).await;
    renewed(answer, |answer| answer.is_ok().then_some(Renewed::Yes))
}

/// The addresses that a node lists for a Nacos service.
pub(crate) async fn list(caller: &mut Caller, service: &str) -> Result<BTreeSet<String>, String> {
    let path = format!("/nacos/v1/ns/instance/list?serviceName={service}");
    let body = json_of(caller, &path, &[]).await?;
    let hosts = body["hosts"].as_array().ok_or("no hosts in the answer")?;
    Ok(hosts.iter().filter_map(|host| host["ip"].as_str().map(str::to_owned)).collect())
}

/// The addresses that a node lists for an Eureka application.
pub(crate) async fn list_eureka(caller: &mut Caller, app: &str) -> Result<BTreeSet<String>, String> {
    let path = format!("/eureka/apps/{app}");
    let body = json_of(caller, &path, &[("accept", "application/json")]).await?;
    let instances = body["application"]["instance"].as_array().ok_or("no instances in the answer")?;
    Ok(instances.iter().filter_map(|host| host["ipAddr"].as_str().map(str::to_owned)).collect())
}

async fn json_of(caller: &mut Caller, path: &str, headers: &[(&'static str, &str)]) -> Result<Value, String> {
    let ask = Ask { method: Method::GET, path, headers, body: Vec::new() };
    let answer = caller.call(&ask).await.map_err(|why| format!("{why:?}"))?;
    if answer.status != 200 {
        return Err(format!("{}: {}", answer.status, answer.text()));
    }
    serde_json::from_slice(&answer.body).map_err(|error| error.to_string())
}

/// Registers over Eureka, with a lease of 90 s.
pub(crate) async fn register_eureka(caller: &mut Caller, instance: &Instance) -> Renewed {
    let (app, ip) = (&instance.service, instance.ip());
    let body = json!({"instance": {
        "instanceId": eureka_id(instance), "app": app, "hostName": ip, "ipAddr": ip, "status": "UP",
        "overriddenStatus": "UNKNOWN", "countryId": 1,
        "port": {"$": 8080, "@enabled": "true"}, "securePort": {"$": 443, "@enabled": "false"},
        "dataCenterInfo": {"@class": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo", "name": "MyOwn"},
        "leaseInfo": {"renewalIntervalInSecs": 30, "durationInSecs": 90}, "metadata": {},
        "vipAddress": app.to_lowercase(), "isCoordinatingDiscoveryServer": "false",
        "lastUpdatedTimestamp": "1700000000456", "lastDirtyTimestamp": "1700000000123"
    }});
    let path = format!("/eureka/apps/{app}");
    let headers = [("content-type", "application/json")];
    let ask = Ask { method: Method::POST, path: &path, headers: &headers, body: body.to_string().into() };
    renewed(caller.call(&ask).await, |answer| answer.is_ok().then_some(Renewed::Yes))
}

/// Renews over Eureka.
pub(crate) async fn renew_eureka(caller: &mut Caller, instance: &Instance) -> Renewed {
    let id = eureka_id(instance);
    let path = format!("/eureka/apps/{}/{id}?status=UP&lastDirtyTimestamp=1700000000123", instance.service);
    renewed(caller.call(&Ask::plain(Method::PUT, &path)).await, |answer| match answer.status {
        200 => Some(Renewed::Yes),
        404 => Some(Renewed::Unheard),
        _ => None,
    })
}

fn eureka_id(instance: &Instance) -> String {
    format!("{}:{}:8080", instance.ip(), instance.service.to_lowercase())
}
