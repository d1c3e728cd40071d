//! Services: register, find, subscribe.

use crate::{Client, ClientError};
use muster_nacos_wire::{
    Text,
    grpc::{
        BatchInstanceRequest, InstanceBody, InstanceRequest, RequestType, ServiceListRequest,
        ServiceQueryRequest, SubscribeServiceRequest,
        reply::{Outcome, ServiceInfo, ServiceListReply, ServiceReply},
    },
};

impl Client {
    /// Registers an ephemeral instance; it replaces what this connection registered to the service before, and
    /// vanishes with the connection.
    pub async fn register(
        &self,
        group: &str,
        service: &str,
        instance: InstanceBody<'_>,
    ) -> Result<(), ClientError> {
        self.instance(RequestType::Instance, "registerInstance", group, service, instance).await
    }

    /// Removes what this connection registered to the service, whatever the instance says.
    pub async fn deregister(
        &self,
        group: &str,
        service: &str,
        instance: InstanceBody<'_>,
    ) -> Result<(), ClientError> {
        self.instance(RequestType::Instance, "deregisterInstance", group, service, instance).await
    }

    /// Registers a persistent instance, which stays until it is deregistered.
    pub async fn register_persistent(
        &self,
        group: &str,
        service: &str,
        instance: InstanceBody<'_>,
    ) -> Result<(), ClientError> {
        self.instance(RequestType::PersistentInstance, "registerInstance", group, service, instance).await
    }

    /// Removes a persistent instance by its address.
    pub async fn deregister_persistent(
        &self,
        group: &str,
        service: &str,
        instance: InstanceBody<'_>,
    ) -> Result<(), ClientError> {
        self.instance(RequestType::PersistentInstance, "deregisterInstance", group, service, instance).await
    }

    async fn instance(
        &self,
        kind: RequestType,
        action: &str,
        group: &str,
        service: &str,
        instance: InstanceBody<'_>,
    ) -> Result<(), ClientError> {
        let request = InstanceRequest {
            namespace: self.naming_namespace(),
            service_name: Text::from(service),
            group_name: Text::from(group),
            r#type: Text::from(action),
            instance: Some(instance),
        };
        self.request::<Outcome>(kind, &request).await.map(drop)
    }

    /// Replaces what this connection registered to the service by these instances; none clears it.
    pub async fn register_batch(
        &self,
        group: &str,
        service: &str,
        instances: Vec<InstanceBody<'_>>,
    ) -> Result<(), ClientError> {
        let request = BatchInstanceRequest {
            namespace: self.naming_namespace(),
            service_name: Text::from(service),
            group_name: Text::from(group),
            r#type: Text::from("batchRegisterInstance"),
            instances: Some(instances),
        };
        self.request::<Outcome>(RequestType::BatchInstance, &request).await.map(drop)
    }

    /// The hosts of a service; an unknown one has none. `clusters` is a comma list, "" for all.
    pub async fn query_service(
        &self,
        group: &str,
        service: &str,
        clusters: &str,
        healthy_only: bool,
    ) -> Result<ServiceInfo, ClientError> {
        let request = ServiceQueryRequest {
            namespace: self.naming_namespace(),
            service_name: Text::from(service),
            group_name: Text::from(group),
            cluster: Text::from(clusters),
            healthy_only,
        };
        let reply: ServiceReply = self.request(RequestType::ServiceQuery, &request).await?;
        Ok(reply.service_info)
    }

    /// One page, from 1, of the names of a group's services.
    pub async fn list_services(
        &self,
        group: &str,
        page: u32,
        size: u32,
    ) -> Result<ServiceListReply, ClientError> {
        let request = ServiceListRequest {
            namespace: self.naming_namespace(),
            group_name: Text::from(group),
            page_no: page.into(),
            page_size: size.into(),
        };
        self.request(RequestType::ServiceList, &request).await
    }

    /// The hosts of a service now; each change comes as [`Push::Service`](crate::Push::Service).
    pub async fn subscribe(
        &self,
        group: &str,
        service: &str,
        clusters: &str,
    ) -> Result<ServiceInfo, ClientError> {
        self.subscription(group, service, clusters, true).await
    }

    /// Ends a subscription.
    pub async fn unsubscribe(&self, group: &str, service: &str, clusters: &str) -> Result<(), ClientError> {
        self.subscription(group, service, clusters, false).await.map(drop)
    }

    async fn subscription(
        &self,
        group: &str,
        service: &str,
        clusters: &str,
        subscribe: bool,
    ) -> Result<ServiceInfo, ClientError> {
        let request = SubscribeServiceRequest {
            namespace: self.naming_namespace(),
            service_name: Text::from(service),
            group_name: Text::from(group),
            subscribe,
            clusters: Text::from(clusters),
        };
        let reply: ServiceReply = self.request(RequestType::SubscribeService, &request).await?;
        Ok(reply.service_info)
    }

    /// Nacos's naming looks into a namespace named "" when it is given one: always name it.
    fn naming_namespace(&self) -> Text<'_> {
        let namespace = self.options.namespace.as_str();
        Text::from(if namespace.is_empty() { "public" } else { namespace })
    }
}
