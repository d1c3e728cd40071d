//! `/v1/console`: what is asked about the server, and its namespaces.

use crate::http::{
    Http,
    call::Call,
    namespaces::{NamespaceStyle, filtered_id, filtered_name, is_name, spec},
    route::{
        Handled,
        Handler::{Later, Now},
        Route,
    },
    server::{announcement, guide},
};
use muster_model::ErrorCode;
use muster_nacos_wire::http::{Answer, NamespaceInfo, Refusal, rest_result, write_json};
use muster_node::{NodeError, registry::RegistryError};
use muster_transport::Surfaces;

pub(crate) const ROUTES: &[Route] = &[
    Route::get("/health/liveness", Now(|_, _| Ok(Answer::text(200, "OK").into()))).early().on(Surfaces::ALL),
    Route::get("/health/readiness", Now(Http::v1_readiness)).early().on(Surfaces::ALL),
    Route::get("/server/state", Now(Http::raw_server_state)).early(),
    Route::get("/server/announcement", Now(Http::v1_announcement)).early(),
    Route::get("/server/guide", Now(Http::v1_guide)).early(),
    Route::get("/namespaces", Now(Http::v1_read_namespaces)),
    Route::post("/namespaces", Later(|http, call| Box::pin(http.v1_create_namespace(call)))),
    Route::put("/namespaces", Later(|http, call| Box::pin(http.v1_update_namespace(call)))),
    Route::delete("/namespaces", Later(|http, call| Box::pin(http.v1_remove_namespace(call)))),
];

/// `true` or `false`.
fn answer(done: bool) -> Handled {
    Ok(Answer::json(if done { "true" } else { "false" }).into())
}

fn required<'a>(call: &'a Call, name: &'static str) -> Result<&'a str, Refusal> {
    call.parameters.get(name).ok_or(Refusal::Missing { name, of_type: "String" })
}

impl Http {
    fn v1_readiness(&self, _: &Call) -> Handled {
        Ok(if self.node.is_ready() {
            Answer::text(200, "OK")
        } else {
            Answer::text(500, "config and naming not in readiness")
        }
        .into())
    }

    fn v1_announcement(&self, call: &Call) -> Handled {
        let text = announcement(call.parameters.get("language").unwrap_or("zh-CN"));
        Ok(rest_result(200, None, |out| write_json(out, &text)).into())
    }

    fn v1_guide(&self, _: &Call) -> Handled {
        Ok(rest_result(200, None, |out| write_json(out, guide())).into())
    }

    /// All namespaces, one of them (`show=all`), or whether there is one (`checkNamespaceIdExist=true`).
    fn v1_read_namespaces(&self, call: &Call) -> Handled {
        if call.parameters.get("show") == Some("all") {
            let shown = |namespace: &NamespaceInfo<'_>| {
                let mut body = Vec::with_capacity(256);
                write_json(&mut body, namespace);
                Answer::json(body)
            };
            let id = required(call, "namespaceId")?;
            return Ok(self.with_namespace(id, NamespaceStyle::OLD, ErrorCode::Internal, shown)?.into());
        }
        if call.parameters.get("checkNamespaceIdExist") == Some("true") {
            return answer(self.has_namespace(required(call, "customNamespaceId")?));
        }
        let shown =
            |namespaces: &[NamespaceInfo<'_>]| rest_result(200, None, |out| write_json(out, namespaces));
        Ok(self.with_namespaces(NamespaceStyle::OLD, shown).into())
    }

    /// Creates one; `false` if its id is taken, or its name blank. A blank or absent id is a random one.
    async fn v1_create_namespace(&self, call: &Call) -> Handled {
        let id = call.parameters.first(&["customNamespaceId"]).map(filtered_id).transpose()?;
        let name = filtered_name(required(call, "namespaceName")?)?;
        if name.trim().is_empty() {
            return answer(false);
        }
        match self.node.create_namespace(id, spec(call, name)).await {
            Ok(_) => answer(true),
            Err(NodeError::Registry(RegistryError::NamespaceExists(_))) => answer(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Changes one; `true` also for one that is not there, `false` for a name that can be none.
    async fn v1_update_namespace(&self, call: &Call) -> Handled {
        let id = filtered_id(required(call, "namespace")?)?;
        let name = required(call, "namespaceShowName")?;
        if name.trim().is_empty() || !is_name(name) {
            return answer(false);
        }
        self.node.update_namespace(id, spec(call, name)).await?;
        answer(true)
    }

    /// Takes one off the list; `true` also for one that is not there.
    async fn v1_remove_namespace(&self, call: &Call) -> Handled {
        self.node.remove_namespace(filtered_id(required(call, "namespaceId")?)?).await?;
        answer(true)
    }
}
