//! Clients and subscribers as administrators read them.

use crate::{
    Shape,
    json::{self, Object},
};
use muster_model::ServiceKey;

/// Someone who is told of a service's changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscriber {
    /// The service.
    pub service: ServiceKey,
    /// The client's id.
    pub client: String,
    /// Its address.
    pub ip: String,
    /// Its port: of UDP, 0 for connections.
    pub port: u16,
    /// What it calls itself: `Nacos-Java-Client:v1.4.2`.
    pub agent: String,
    /// Its application, "" if it named none.
    pub app: String,
    /// The clusters it asked for.
    pub clusters: String,
}

impl Subscriber {
    /// `ip:port`.
    pub fn address(&self) -> String {
        format!("{}:{}", self.ip, self.port)
    }

    /// Writes it as v1's `service/subscribers`:
    /// `{"addrStr":"127.0.0.1:50001","agent":"…","app":"","ip":"127.0.0.1","port":50001,"namespaceId":"public","serviceName":"G@@s","cluster":""}`.
    pub fn v1(&self, out: &mut Vec<u8>) {
        let mut object = Object::open(out);
        object.string("addrStr", &self.address()).string("agent", &self.agent).string("app", &self.app);
        object.string("ip", &self.ip).value("port", &self.port);
        object.string("namespaceId", self.service.namespace().as_str());
        object.string("serviceName", &self.service.grouped_name()).string("cluster", &self.clusters);
        object.close();
    }

    /// Writes it as v3's `service/subscribers`:
    /// `{"namespaceId","groupName","serviceName","ip","port","agent","appName"}`.
    pub fn v3(&self, out: &mut Vec<u8>) {
        let mut object = Object::open(out);
        object.string("namespaceId", self.service.namespace().as_str());
        object.string("groupName", self.service.group().as_str());
        object.string("serviceName", self.service.name().as_str());
        object.string("ip", &self.ip).value("port", &self.port);
        object.string("agent", &self.agent).string("appName", &self.app);
        object.close();
    }

    /// Writes it as `client/service/subscriber/list` of v2 (`Shape::V2`) or v3: `{"clientId","ip","port"}` or
    /// `{"clientId","appName","agent","address"}`.
    pub fn of_service(&self, out: &mut Vec<u8>, shape: Shape) {
        let mut object = Object::open(out);
        object.string("clientId", &self.client);
        if shape == Shape::V2 {
            object.string("ip", &self.ip).value("port", &self.port);
        } else {
            self.described(&mut object);
        }
        object.close();
    }

    /// Writes it as `client/subscribe/list` of v2 or v3.
    pub fn of_client(&self, out: &mut Vec<u8>, shape: Shape) {
        let mut object = service(out, shape, &self.service);
        let mut info = Object::open(object.key("subscriberInfo"));
        if shape == Shape::V2 {
            info.string("app", &self.app).string("agent", &self.agent).string("addr", &self.address());
        } else {
            info.string("clientId", &self.client);
            self.described(&mut info);
        }
        info.close();
        object.close();
    }

    fn described(&self, object: &mut Object<'_>) {
        object.string("appName", &self.app).string("agent", &self.agent).string("address", &self.address());
    }
}

/// Writes `{"subscribers":[…],"count":1}` of v1: those of a page, and how many there are.
pub fn subscribers(
    out: &mut Vec<u8>,
    count: usize,
    page: &[Subscriber],
    each: impl Fn(&Subscriber, &mut Vec<u8>),
) {
    let mut object = Object::open(out);
    json::array(object.key("subscribers"), page, |out, one| each(one, out));
    object.value("count", &count);
    object.close();
}

/// An instance that a client publishes.
#[derive(Clone, Copy, Debug)]
pub struct Published<'a> {
    /// The client's id.
    pub client: &'a str,
    /// The service.
    pub service: &'a ServiceKey,
    /// Address.
    pub ip: &'a str,
    /// Port.
    pub port: u16,
    /// Cluster.
    pub cluster: &'a str,
}

impl Published<'_> {
    /// Writes it as `client/publish/list` of v2 (`Shape::V2`) or v3.
    pub fn of_client(&self, out: &mut Vec<u8>, shape: Shape) {
        let mut object = service(out, shape, self.service);
        if shape == Shape::V2 {
            let mut instance = Object::open(object.key("registeredInstance"));
            instance.string("ip", self.ip).value("port", &self.port).string("cluster", self.cluster);
            instance.close();
        } else {
            self.of_service(object.key("publisherInfo"), shape);
        }
        object.close();
    }

    /// Writes it as `client/service/publisher/list` of v2 or v3: `{"ip","port","cluster","clientId"}` or
    /// `{"clientId","ip","port","clusterName"}`.
    pub fn of_service(&self, out: &mut Vec<u8>, shape: Shape) {
        let cluster = if shape == Shape::V2 { "cluster" } else { "clusterName" };
        let mut object = Object::open(out);
        object.string("clientId", self.client).string("ip", self.ip).value("port", &self.port);
        object.string(cluster, self.cluster);
        object.close();
    }
}

fn service<'a>(out: &'a mut Vec<u8>, shape: Shape, service: &ServiceKey) -> Object<'a> {
    let [namespace, group] =
        if shape == Shape::V2 { ["namespace", "group"] } else { ["namespaceId", "groupName"] };
    let mut object = Object::open(out);
    object.string(namespace, service.namespace().as_str()).string(group, service.group().as_str());
    object.string("serviceName", service.name().as_str());
    object
}

/// One client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientDetail<'a> {
    /// Its id.
    pub id: &'a str,
    /// Whether what it publishes is ephemeral.
    pub ephemeral: bool,
    /// When something of it last changed, or it came; milliseconds since 1970.
    pub last_updated: u64,
    /// What it says of itself, if it is a gRPC connection: application and version.
    pub connection: Option<(&'a str, &'a str)>,
    /// Address.
    pub ip: &'a str,
    /// Port.
    pub port: &'a str,
}

impl ClientDetail<'_> {
    /// Writes it as `GET client`:
    /// `{"clientId":"…","ephemeral":true,"lastUpdatedTime":0,"clientType":"connection","connectType":"GRPC","appName":"","version":"","clientIp":"","clientPort":"5000"}`.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut object = Object::open(out);
        object.string("clientId", self.id).value("ephemeral", &self.ephemeral);
        object.value("lastUpdatedTime", &self.last_updated);
        match self.connection {
            Some((app, version)) => {
                object.string("clientType", "connection").string("connectType", "GRPC");
                object.string("appName", app).string("version", version);
            }
            None => {
                object.string("clientType", "ipPort");
            }
        }
        object.string("clientIp", self.ip).string("clientPort", self.port);
        object.close();
    }
}
