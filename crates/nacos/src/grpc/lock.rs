//! Lock requests.

use super::NacosGrpcService;
use crate::failure::failure_of;
use muster_nacos_wire::grpc::{Failure, LockOperation, LockOperationRequest, Payload, answer, parse};
use muster_node::LockOp;

/// The most bytes of a key. The original has no limit; held keys are in memory and in the log.
const KEY_BYTES_MAX: usize = 1_024;

impl NacosGrpcService {
    pub(super) async fn lock_operation(&self, body: &[u8]) -> Result<Payload, Failure> {
        let request: LockOperationRequest<'_> = parse(body)?;
        let lock = &request.lock_instance;
        let Some(operation) = LockOperation::parse(&request.lock_operation_enum) else {
            return Err(Failure::typed(500, "There is no Handler of such operations!"));
        };
        if lock.key.is_blank() {
            return Err(Failure::typed(400, "lock key must not be blank"));
        }
        let key = format!("{}+{}", lock.lock_type, lock.key);
        if key.len() > KEY_BYTES_MAX {
            return Err(Failure::typed(400, format!("lock key must not exceed {KEY_BYTES_MAX} bytes")));
        }
        let op = match operation {
            LockOperation::Acquire => LockOp::Acquire { key, hold_ms: lock.expired_time.unwrap_or(-1) },
            LockOperation::Release => LockOp::Release { key },
        };
        Ok(answer::lock(self.node.lock(op).await.map_err(|error| failure_of(&error))?))
    }
}
