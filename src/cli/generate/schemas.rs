//! Every type whose JSON is a published contract. `tests/generated.rs` reads the sources and fails when a schema's name
//! stands there and not here.

use serde_json::Value;

use super::{named, schema_of};
use crate::cli::commands::{
    agent, approve, audit, check, connect, freeze, grant, init, integration, key, operator, policy, request, revoke,
    rotation, run, status, thaw, tour, workspace,
};
use crate::cli::error::{ERROR_SCHEMA, ErrorView};
use crate::cli::screen;
use crate::workspace::ask::{ASK_SCHEMA, Ask};

/// Every published JSON Schema (draft 2020-12) by its name, in the order of the names.
pub fn schemas() -> Vec<(String, Value)> {
    let mut all = vec![
        schema_of::<agent::add::AgentAddView>(),
        schema_of::<agent::list::AgentListView>(),
        schema_of::<agent::retire::AgentRetireView>(),
        schema_of::<agent::show::AgentView>(),
        schema_of::<approve::view::DecisionsView>(),
        schema_of::<audit::correct::AuditCorrectView>(),
        schema_of::<audit::disputed::view::AuditDisputedView>(),
        schema_of::<audit::erase::view::AuditEraseView>(),
        schema_of::<audit::erase::view::EraseFinishView>(),
        schema_of::<audit::void::AuditVoidView>(),
        schema_of::<audit::export::ExportView>(),
        schema_of::<audit::pack::PackView>(),
        schema_of::<audit::checkpoint::CheckpointView>(),
        schema_of::<audit::prove::view::ProveView>(),
        schema_of::<audit::prove::check::ProofView>(),
        schema_of::<audit::show::Shown>(),
        schema_of::<audit::verify::VerifyView>(),
        schema_of::<audit::witness::WitnessKeyView>(),
        schema_of::<audit::witness::WitnessLastView>(),
        schema_of::<audit::witness::WitnessView>(),
        schema_of::<check::CheckView>(),
        schema_of::<connect::view::ConnectView>(),
        schema_of::<freeze::FreezeView>(),
        schema_of::<grant::list::GrantListView>(),
        schema_of::<grant::narrow::GrantNarrowView>(),
        schema_of::<grant::renew::GrantRenewView>(),
        schema_of::<grant::show::GrantShowView>(),
        schema_of::<init::InitView>(),
        schema_of::<integration::add::IntegrationAddView>(),
        schema_of::<integration::list::IntegrationListView>(),
        schema_of::<integration::show::IntegrationView>(),
        schema_of::<key::add::KeyAddView>(),
        schema_of::<key::import::KeyImportView>(),
        schema_of::<key::leaked::report::IncidentView>(),
        schema_of::<key::leaked::view::KeyLeakedView>(),
        schema_of::<key::list::KeyListView>(),
        schema_of::<key::reseal::KeyResealView>(),
        schema_of::<key::retire::KeyRetireView>(),
        schema_of::<key::seal::KeySealView>(),
        schema_of::<key::set::KeySetView>(),
        schema_of::<key::show::KeyShowView>(),
        schema_of::<operator::add::OperatorAddView>(),
        schema_of::<operator::create::OperatorCreateView>(),
        schema_of::<operator::list::OperatorListView>(),
        schema_of::<operator::passphrase::OperatorPassphraseView>(),
        schema_of::<operator::recovery::RecoveryNewView>(),
        schema_of::<operator::retire::OperatorRetireView>(),
        schema_of::<operator::rotate::OperatorRotateView>(),
        schema_of::<policy::adopt::PolicyAdoptView>(),
        schema_of::<policy::diff::PolicyDiffView>(),
        schema_of::<policy::explain::ExplainView>(),
        schema_of::<policy::lint::LintView>(),
        schema_of::<policy::matrix::MatrixView>(),
        schema_of::<policy::set::PolicySetView>(),
        schema_of::<policy::show::PolicyView>(),
        schema_of::<request::change::RequestChangeView>(),
        schema_of::<request::list::RequestListView>(),
        schema_of::<request::new::RequestNewView>(),
        schema_of::<request::wait::RequestWaitView>(),
        schema_of::<crate::cli::commands::review::check::ReviewCheckView>(),
        schema_of::<crate::cli::commands::review::decide::ReviewDecidedView>(),
        schema_of::<crate::cli::commands::review::decide::ReviewDecisionsView>(),
        schema_of::<crate::cli::commands::review::diff::ReviewDiffView>(),
        schema_of::<crate::cli::commands::review::render::ReviewView>(),
        schema_of::<crate::cli::commands::review::sign::ReviewSignedView>(),
        schema_of::<revoke::view::RevokeView>(),
        schema_of::<rotation::check::RotationCheckView>(),
        schema_of::<rotation::list::RotationListView>(),
        schema_of::<rotation::record::RotationRecordView>(),
        schema_of::<rotation::set::RotationSetView>(),
        schema_of::<run::RunView>(),
        schema_of::<status::StatusView>(),
        schema_of::<screen::RequestView>(),
        schema_of::<thaw::ThawView>(),
        schema_of::<tour::TourView>(),
        schema_of::<workspace::accept::AcceptRollbackView>(),
        schema_of::<workspace::backup::BackupView>(),
        schema_of::<workspace::compare::CompareView>(),
        schema_of::<workspace::restore::RestoreView>(),
    ];
    all.extend(beside_views());
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

/// What is JSON without being a command's view: a line of `audit log`, an error, and the one thing that is read.
fn beside_views() -> [(String, Value); 3] {
    let printed = || schemars::generate::SchemaSettings::draft2020_12().for_serialize().into_generator();
    let read = schemars::generate::SchemaSettings::draft2020_12().for_deserialize().into_generator();
    let entry = printed().into_root_schema_for::<audit::entry::EntryView>().to_value();
    let error = printed().into_root_schema_for::<ErrorView>().to_value();
    [
        (audit::entry::ENTRY_SCHEMA.into(), named(audit::entry::ENTRY_SCHEMA, entry, true)),
        (ERROR_SCHEMA.into(), named(ERROR_SCHEMA, error, true)),
        // Who asks may leave the name out.
        (ASK_SCHEMA.into(), named(ASK_SCHEMA, read.into_root_schema_for::<Ask>().to_value(), false)),
    ]
}
