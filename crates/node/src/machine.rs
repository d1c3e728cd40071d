//! The replicated state machine: what the log drives.

use crate::{Node, ensemble, locks, node::PendingEffect, op::DurableOp};
use bytes::Bytes;
use muster_config::{At, ConfigError};
use muster_consensus::{ApplyContext, Machine};
use muster_model::{Now, Revision, Row, Table, Timestamp};
use muster_registry::{Effect, Op, Outcome, RegistryError};
use muster_storage::state::{StateError, StateStore};

/// Rows read at a time when memory is rebuilt.
const LOAD_ROWS: usize = 1_024;

impl Machine for Node {
    fn apply(&self, op: &Bytes, at: ApplyContext, rows: &mut Vec<Row>) -> Result<Bytes, String> {
        // Checksums held, and nothing is proposed that does not read back: a newer version wrote it.
        let op = DurableOp::decode(op).map_err(|error| error.to_string())?;
        Ok(self.apply_durable(op, at, rows))
    }

    fn committed(&self) {
        self.contents.committed();
        let effects = std::mem::take(&mut *self.pending.lock());
        for effect in effects {
            match effect {
                PendingEffect::Registry(effect) => self.run_registry_effect(effect),
                PendingEffect::Config(effect) => self.run_config_effect(effect),
                PendingEffect::Switched => self.switched(),
                PendingEffect::Ensemble => self.membership.changed(),
            }
        }
    }

    fn load(&self, state: &dyn StateStore) -> Result<(), StateError> {
        self.reset();
        let now = self.now();
        for table in [Table::Namespace, Table::Service, Table::Override, Table::Instance] {
            for_each_row(state, table, |key, value| {
                self.registry.lock().load(table, key, value, now).map_err(|error| error.to_string())
            })?;
        }
        for table in [Table::Config, Table::ConfigHistory, Table::ConfigCapacity] {
            for_each_row(state, table, |key, value| {
                self.configs.write().load(table, key, value.clone()).map_err(|error| error.to_string())
            })?;
        }
        for_each_row(state, Table::Lock, |key, value| {
            if self.locks.lock().load(key, value) { Ok(()) } else { Err("a lock is malformed".into()) }
        })?;
        for_each_row(state, Table::Meta, |key, value| self.load_switch(key, value))?;
        for_each_row(state, Table::Ensemble, |key, value| self.membership.load(key, value))?;
        self.membership.changed();
        self.switched();
        self.begin_all_health_checks();
        Ok(())
    }
}

impl Node {
    /// What it came to, encoded by the core that decided it; empty where there is nothing to tell. It is part of the
    /// replicated state, so it must depend on that alone.
    fn apply_durable(&self, op: DurableOp, at: ApplyContext, rows: &mut Vec<Row>) -> Bytes {
        match op {
            DurableOp::Registry(op) => muster_registry::encode_result(&self.apply_registry(op, at, rows)),
            DurableOp::Config(op) => muster_config::encode_result(&self.apply_config(op, at, rows)),
            DurableOp::Lock(op) => locks::encode_result(self.locks.lock().apply(&op, at.time, rows)),
            DurableOp::ExpireLocks(now) => {
                // The entry's own time bounds what the proposer claimed.
                self.locks.lock().expire(Timestamp(now.0.min(at.time.0)), rows);
                Bytes::new()
            }
            DurableOp::Switch { entry, value } => {
                self.apply_switch(&entry, &value, rows);
                self.pending.lock().push(PendingEffect::Switched);
                Bytes::new()
            }
            DurableOp::Ensemble(op) => {
                self.pending.lock().push(PendingEffect::Ensemble);
                ensemble::encode_outcome(&self.membership.apply(&op, at.time, rows))
            }
            DurableOp::Mark(mark) => {
                self.apply_mark(mark, at, rows);
                Bytes::new()
            }
            DurableOp::Account(row) => {
                rows.push(row);
                Bytes::new()
            }
        }
    }

    fn apply_registry(
        &self,
        op: Op,
        at: ApplyContext,
        rows: &mut Vec<Row>,
    ) -> Result<Outcome, RegistryError> {
        let now = Now { wall: at.time, mono: self.now().mono };
        let registered = if let Op::Register(register) = &op {
            Some((register.client.clone(), register.service.clone()))
        } else {
            None
        };
        let mut effects = Vec::new();
        let outcome = self.registry.lock().apply(op, now, &mut effects)?;
        if let Some((client, service)) = registered {
            self.health_checks.begin(&client, &service, now.mono);
        }
        let mut pending = self.pending.lock();
        for effect in effects {
            if let Effect::Persist(row) = effect {
                rows.push(row);
            } else {
                pending.push(PendingEffect::Registry(effect));
            }
        }
        Ok(outcome)
    }

    fn apply_config(
        &self,
        op: muster_config::Op,
        at: ApplyContext,
        rows: &mut Vec<Row>,
    ) -> Result<muster_config::Outcome, ConfigError> {
        let place = At { revision: Revision(at.sequence), time: at.time };
        let mut effects = Vec::new();
        let outcome = {
            let mut configs = self.configs.write();
            let outcome = configs.apply(op, place, &mut effects)?;
            // Before anybody can see the config: its content is in no store yet.
            self.contents.follow(&effects);
            outcome
        };
        let mut pending = self.pending.lock();
        for effect in effects {
            if let muster_config::Effect::Persist(row) = effect {
                rows.push(row);
            } else {
                pending.push(PendingEffect::Config(effect));
            }
        }
        Ok(outcome)
    }
}

pub(crate) fn for_each_row(
    state: &dyn StateStore,
    table: Table,
    mut take: impl FnMut(&[u8], &Bytes) -> Result<(), String>,
) -> Result<(), StateError> {
    let mut from: Vec<u8> = Vec::new();
    loop {
        let rows = state.scan(table, &from, LOAD_ROWS)?;
        let full = rows.len() == LOAD_ROWS;
        for (key, value) in &rows {
            take(key, value)
                .map_err(|detail| StateError::Damaged(format!("a row of {table:?}: {detail}")))?;
        }
        match rows.last() {
            // The smallest key above the last one is that key and a zero byte.
            Some((last, _)) if full => from = last.iter().copied().chain([0]).collect(),
            Some(_) | None => return Ok(()),
        }
    }
}
