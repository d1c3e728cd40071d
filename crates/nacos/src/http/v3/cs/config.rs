//! One config, and lists of them.

use crate::http::{
    Http,
    call::Call,
    configs::{
        V3_NAMES, bound,
        search::{SearchNames, basic, search_of, timed, v3_page},
        text_of,
    },
    refuse,
    reply::Reply,
    trouble::Trouble,
};
use muster_model::ErrorCode;
use muster_nacos_wire::http::{V3ConfigDetail, check_filter, page, result, write_json};
use muster_node::config::{Describe, Publish, VariantName};

const MORE: SearchNames = SearchNames { types: "type", content: Some("configDetail") };

impl Http {
    /// All about a config; one that is not there is 404.
    pub(crate) fn v3_config(&self, call: &Call) -> Result<Reply, Trouble> {
        match self.v3_detail(call)? {
            Some(reply) => Ok(reply),
            None => Err(refuse(ErrorCode::NotFound, "Config not exist, please publish Config first.")),
        }
    }

    /// The same for the console, to which one that is not there is null.
    pub(crate) fn v3_console_config(&self, call: &Call) -> Result<Reply, Trouble> {
        let detail = self.v3_detail(call)?;
        Ok(detail.unwrap_or_else(|| result(|out| write_json(out, &None::<&str>)).into()))
    }

    fn v3_detail(&self, call: &Call) -> Result<Option<Reply>, Trouble> {
        check_filter(&call.parameters, self.metadata_chars_max())?;
        let key = V3_NAMES.key(&call.parameters)?;
        let found = self.node.config_variant(&key, &VariantName::Formal)?;
        let (Some(config), Some(found)) = (self.node.config(&key), found) else { return Ok(None) };
        let author = config.formal().map(|formal| &formal.author);
        let (basic, config_tags) = timed(&config);
        let detail = V3ConfigDetail {
            basic,
            content: text_of(&found),
            desc: config.details().description.as_deref(),
            encrypted_data_key: Some(&found.selection.encrypted_data_key),
            create_user: author.and_then(|author| author.user.as_deref()),
            create_ip: author.map(|author| author.ip.as_str()),
            config_tags,
        };
        Ok(Some(result(|out| write_json(out, &detail)).into()))
    }

    pub(crate) async fn v3_publish(&self, call: &Call) -> Result<Reply, Trouble> {
        self.publish_described(call, V3_NAMES).await?;
        Ok(result(|out| write_json(out, &true)).into())
    }

    pub(crate) async fn v3_remove(&self, call: &Call) -> Result<Reply, Trouble> {
        check_filter(&call.parameters, self.metadata_chars_max())?;
        let key = V3_NAMES.key(&call.parameters)?;
        self.remove_described(call, V3_NAMES, key).await?;
        Ok(result(|out| write_json(out, &true)).into())
    }

    /// Removes configs by their numbers.
    pub(crate) async fn v3_remove_by_id(&self, call: &Call) -> Result<Reply, Trouble> {
        bound(&call.parameters, "ids", "List")?;
        self.remove_by_id(call, V3_NAMES).await?;
        Ok(result(|out| write_json(out, &true)).into())
    }

    /// Writes description and tags anew (3.1).
    pub(crate) async fn v3_describe(&self, call: &Call) -> Result<Reply, Trouble> {
        check_filter(&call.parameters, self.metadata_chars_max())?;
        let key = V3_NAMES.key(&call.parameters)?;
        let describe = Describe {
            key,
            description: call.parameters.get("desc").map(str::to_owned),
            tags: call.parameters.get(V3_NAMES.tags).map(Publish::tags_of),
            author: call.author(V3_NAMES.user),
            bounds: self.node.config_bounds(),
        };
        self.node.describe_config(describe).await?;
        Ok(result(|out| write_json(out, &true)).into())
    }

    /// A page of the configs of a namespace, without their contents; by parts of names unless `search` says otherwise.
    pub(crate) async fn v3_list_configs(&self, call: &Call) -> Result<Reply, Trouble> {
        let wanted = v3_page(&call.parameters)?;
        let blur = call.parameters.first(&["search"]).unwrap_or("blur") == "blur";
        let search = search_of(call, V3_NAMES, MORE, blur)?;
        let by_tags = !search.tags.is_empty();
        let found = self.node.search_configs(&search, wanted).await?;
        let items: Vec<_> = found.items.iter().map(|config| basic(config, by_tags)).collect();
        Ok(result(|out| page(out, found.total, wanted.number, wanted.size, &items)).into())
    }
}
