//! The OpenAPI description against the server it describes.

use crate::world::{Answer, World};
use muster_nacos::{HttpSettings, LogLevels, openapi};
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Debug)]
struct Deaf;

impl LogLevels for Deaf {
    fn set(&self, _: &str, _: &'static str) {}
}

/// What a required parameter is set to.
fn sample(name: &str) -> &str {
    match name {
        "serviceName" => "s",
        "ip" => "10.0.0.1",
        "port" | "checkPort" => "80",
        "dataId" => "a",
        "groupName" => "G",
        "namespaceId" | "targetNamespaceId" => "public",
        "clusterName" => "DEFAULT",
        "metadata" => r#"{"a":"b"}"#,
        "healthChecker" => r#"{"type":"TCP"}"#,
        "useInstancePort4Check" | "healthy" => "true",
        "logName" => "ROOT",
        "logLevel" => "INFO",
        "entry" => "pushEnabled",
        "clientId" => "10.0.0.1:80#true",
        "id" | "nid" | "ids" => "1",
        "count" => "10",
        "type" => "file",
        "value" => "true",
        "sql" => "select 1",
        "content" | "connectionId" | "customNamespaceId" | "namespaceName" | "username" | "password"
        | "file" => "x",
        name => panic!("what would {name} be?"),
    }
}

/// What a described operation is asked with: the parameters it requires, and its body.
fn request(document: &Value, operation: &Value) -> (String, String, &'static str) {
    let mut pairs: Vec<&str> = Vec::new();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        if parameter["required"] == true {
            pairs.push(parameter["name"].as_str().unwrap());
        }
    }
    let content = &operation["requestBody"]["content"];
    let form = &content["application/x-www-form-urlencoded"]["schema"]["required"];
    pairs.extend(form.as_array().into_iter().flatten().map(|name| name.as_str().unwrap()));
    let query: Vec<String> = pairs
        .into_iter()
        .map(|name| {
            let value: String = sample(name)
                .bytes()
                .map(|byte| {
                    if byte.is_ascii_alphanumeric() {
                        char::from(byte).to_string()
                    } else {
                        format!("%{byte:02X}")
                    }
                })
                .collect();
            format!("{name}={value}")
        })
        .collect();
    let json = &content["application/json"]["schema"];
    let body = match resolve(document, json)["properties"].as_object() {
        _ if json.is_null() => String::new(),
        Some(properties) if properties.contains_key("logName") => {
            r#"{"logName":"ROOT","logLevel":"INFO"}"#.into()
        }
        Some(_) => r#"{"command":"doSnapshot"}"#.into(),
        None => "[{}]".into(),
    };
    let kind = if body.is_empty() { "" } else { "application/json" };
    (query.join("&"), body, kind)
}

fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => resolve(document, document.pointer(&reference[1..]).unwrap()),
        None => schema,
    }
}

/// Where a value has what its schema does not.
fn undescribed(document: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let schema = resolve(document, schema);
    if let Some(one) = schema["oneOf"].as_array() {
        return if value.is_null() { Vec::new() } else { undescribed(document, &one[0], value, at) };
    }
    match value {
        Value::Array(items) => {
            items.iter().flat_map(|item| undescribed(document, &schema["items"], item, at)).collect()
        }
        Value::Object(fields) => {
            let parts: Vec<&Value> = match schema["allOf"].as_array() {
                Some(parts) => parts.iter().map(|part| resolve(document, part)).collect(),
                None => vec![schema],
            };
            let any = parts
                .iter()
                .find_map(|part| Some(&part["additionalProperties"]).filter(|any| !any.is_null()));
            let of = |(name, value): (&String, &Value)| {
                // The more special part is the later one.
                match parts.iter().rev().find_map(|part| part["properties"].get(name)).or(any) {
                    Some(Value::Bool(_)) => Vec::new(),
                    Some(schema) => undescribed(document, schema, value, &format!("{at}.{name}")),
                    None => vec![format!("{at}.{name}")],
                }
            };
            fields.iter().flat_map(of).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

/// What operations look for, and remove.
async fn fill(world: &World) {
    world.form("POST", "/nacos/v1/cs/configs", "dataId=a&group=G&content=x").await.is(200, "true");
    for _ in 0..2 {
        world.form("POST", "/nacos/v1/ns/instance", "serviceName=s&ip=10.0.0.1&port=80").await.is(200, "ok");
    }
    world.form("POST", "/nacos/v3/admin/core/namespace", "namespaceId=dev&namespaceName=Dev").await;
}

async fn ask(world: &World, document: &Value, method: &str, path: &str) -> Answer {
    let operation = &document["paths"][path][method];
    let (query, body, kind) = request(document, operation);
    let headers: &[(&str, &str)] = if kind.is_empty() { &[] } else { &[("Content-Type", kind)] };
    world.body(&method.to_uppercase(), &format!("{path}?{query}"), &body, headers).await
}

#[tokio::test]
async fn every_operation_answers_as_it_is_described() {
    let document = openapi("/nacos");
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, methods)| {
        methods.as_object().unwrap().keys().map(move |method| (method.as_str(), path.as_str()))
    });
    let settings = HttpSettings { log_levels: Some(Arc::new(Deaf)), ..HttpSettings::default() };
    let world = World::with(settings).await;
    let mut problems = Vec::new();
    for (method, path) in operations {
        fill(&world).await;
        let answer = ask(&world, &document, method, path).await;
        let responses = &document["paths"][path][method]["responses"];
        let response = &responses[answer.status.to_string()];
        if response.is_null() {
            problems.push(format!("{method} {path}: {answer:?}"));
            continue;
        }
        let content = &resolve(&document, response)["content"];
        let Some(schema) = content.get("application/json").map(|content| &content["schema"]) else {
            continue;
        };
        if let Ok(value) = serde_json::from_str::<Value>(&answer.body) {
            let found = undescribed(&document, schema, &value, "");
            problems.extend(found.into_iter().map(|at| format!("{method} {path}: {at} is not described")));
        }
    }
    assert!(problems.is_empty(), "{problems:#?}");
}

#[test]
fn each_operation_has_a_name_of_its_own() {
    let document = openapi("/nacos");
    let paths = document["paths"].as_object().unwrap().values();
    let names: Vec<&Value> =
        paths.flat_map(|path| path.as_object().unwrap().values().map(|one| &one["operationId"])).collect();
    let distinct: std::collections::BTreeSet<_> = names.iter().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(distinct.len(), names.len());
    assert!(distinct.contains("getAdminCoreNamespaceList"), "{distinct:?}");
    assert_eq!(document["paths"]["/nacos/v3/auth/user/login"]["post"]["tags"], json!(["v3/auth"]));
}
