//! Beats of HTTP clients (nacos-http.md 3.3.2).

use super::{Answer, Refusal};
use crate::{ParamError, Text, grpc::InstanceBody, json::Object, lenient, text::Pairs};
use muster_model::Instance;
use serde::Deserialize;

/// A full beat, the `beat` parameter:
/// `{"cluster":"DEFAULT","ip":"10.0.0.1","metadata":{},"period":5000,"port":8080,"scheduled":false,"serviceName":"DEFAULT_GROUP@@demo","stopped":false,"weight":1.0}`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Beat<'a> {
    /// Address.
    #[serde(borrow)]
    pub ip: Text<'a>,
    /// Port.
    #[serde(deserialize_with = "lenient::scalar")]
    pub port: i64,
    /// Weight, 1 when absent.
    #[serde(deserialize_with = "lenient::optional")]
    pub weight: Option<f64>,
    /// Cluster, `DEFAULT` when blank.
    #[serde(borrow)]
    pub cluster: Text<'a>,
    /// `group@@service`, repeated from the request's own parameter.
    #[serde(borrow)]
    pub service_name: Text<'a>,
    /// Labels.
    #[serde(borrow, deserialize_with = "lenient::or_default")]
    pub metadata: Pairs<'a>,
}

impl<'a> Beat<'a> {
    /// Reads the parameter; `None` is a light beat (absent or blank).
    pub fn parse(text: &'a str) -> Result<Option<Self>, Refusal> {
        if text.trim().is_empty() {
            return Ok(None);
        }
        serde_json::from_str(text).map(Some).map_err(|error| Refusal::Json(error.to_string()))
    }

    /// The instance to register if nobody knows it: healthy and enabled.
    pub fn to_instance(&self, metadata_chars_max: usize) -> Result<Instance, ParamError> {
        let body = InstanceBody {
            ip: self.ip.clone(),
            port: self.port,
            weight: self.weight,
            cluster_name: self.cluster.clone(),
            metadata: self.metadata.clone(),
            ..InstanceBody::default()
        };
        body.to_instance(metadata_chars_max)
    }
}

/// `{"clientBeatInterval":5000,"code":10200,"lightBeatEnabled":true}`; an instance nobody knows gets 20404, upon which
/// the client registers anew. `light` tells that further beats need no body.
pub fn beat_answer(interval_ms: u64, known: bool, light: bool) -> Answer {
    let mut out = Vec::with_capacity(80);
    let mut object = Object::open(&mut out);
    object.value("clientBeatInterval", &interval_ms);
    object.raw("code", if known { b"10200" } else { b"20404" });
    object.value("lightBeatEnabled", &light);
    object.close();
    Answer::json(out)
}
