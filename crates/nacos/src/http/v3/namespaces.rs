//! Namespaces, for administration and the console.

use crate::http::{
    Http,
    call::Call,
    namespaces::{NamespaceStyle, bound, exists, form_missing, v3_new_id, v3_spec},
    route::Handled,
};
use muster_model::{ErrorCode, Namespace};
use muster_nacos_wire::http::{NamespaceInfo, result, write_json};

impl Http {
    pub(crate) fn v3_namespaces(&self, _: &Call) -> Handled {
        let answer = |namespaces: &[NamespaceInfo<'_>]| result(|out| write_json(out, namespaces));
        Ok(self.with_namespaces(NamespaceStyle::V3, answer).into())
    }

    pub(crate) fn v3_namespace(&self, call: &Call) -> Handled {
        let answer = |namespace: &NamespaceInfo<'_>| result(|out| write_json(out, namespace));
        let text = bound(call, "namespaceId")?;
        Ok(self.with_namespace(text, NamespaceStyle::V3, ErrorCode::NotFound, answer)?.into())
    }

    /// Creates a namespace whose id is in the parameter `by`, or random.
    pub(crate) async fn v3_create_namespace(&self, call: &Call, by: &str) -> Handled {
        let (id, spec) = (v3_new_id(call.parameters.get(by))?, v3_spec(call)?);
        self.node.create_namespace(id, spec).await.map_err(|error| exists(error, true))?;
        Ok(result(|out| write_json(out, &true)).into())
    }

    /// Changes a namespace; one that is not there is answered like one that is, as in the original.
    pub(crate) async fn v3_update_namespace(&self, call: &Call) -> Handled {
        let text = call.parameters.get("namespaceId").ok_or_else(|| form_missing("namespaceId"))?;
        let spec = v3_spec(call)?;
        if let Ok(id) = Namespace::canonical(text) {
            self.node.update_namespace(id, spec).await?;
        }
        Ok(result(|out| write_json(out, &true)).into())
    }

    /// Takes a namespace off the list, for v2 and v3.
    pub(crate) async fn remove_namespace(&self, call: &Call) -> Handled {
        if let Ok(id) = Namespace::canonical(bound(call, "namespaceId")?) {
            self.node.remove_namespace(id).await?;
        }
        Ok(result(|out| write_json(out, &true)).into())
    }
}
