#include "tests/sim/calls.hpp"

#include "core/hex.hpp"
#include "eventstore/hash.hpp"
#include "http/agent_answers.hpp"
#include "http/agent_input.hpp"

namespace cpm::sim {
namespace {

std::optional<core::BootIdentity> identity_of(agent::BootIdentity const& said) {
    auto const boot_id = core::parse_boot_id(said.boot_id);
    if (!boot_id)
        return std::nullopt;
    return core::BootIdentity{*boot_id, said.resume_count};
}

core::Leaving leaving_of(agent::Leaving said) {
    return core::parse_leaving(agent::to_string(said)).value_or(core::Leaving::No);
}

agent::SignedOrder order_of(core::Order const& order, manager::Keys const& keys) {
    return {
        .method = agent::parse_off_method(core::to_string(order.method)).value(),
        .server_id = core::to_string(order.server),
        .identity = {core::to_string(order.identity.boot_id), order.identity.resume_count},
        .nonce = order.nonce,
        .sequence = order.request.value,
        .signature = keys.sign(order),
    };
}

} // namespace

std::optional<core::Report>
as_manager_reads(agent::Report const& said, std::string const& address) {
    auto nonce = http::parse_nonce(said.nonce);
    auto const identity = identity_of(said.identity);
    if (!nonce || !identity)
        return std::nullopt;
    core::Report report;
    report.status = said.status;
    report.identity = identity;
    report.report = static_cast<std::uint64_t>(said.report.count());
    report.nonce = std::move(*nonce);
    report.blocked_by = said.blocked_by;
    report.leaving = leaving_of(said.leaving);
    report.agent_version = "sim";
    report.address = address;
    report.woke = said.woke;
    return report;
}

std::optional<core::Asker> as_manager_reads(agent::ManifestQuestion const& question) {
    auto nonce = http::parse_nonce(question.nonce);
    auto const identity = identity_of(question.identity);
    if (!nonce || !identity)
        return std::nullopt;
    return core::Asker{identity, std::move(*nonce), core::OrderWay::Manifest};
}

std::optional<eventstore::Head> witness_in(agent::Report const& said, manager::Keys const& keys) {
    if (!said.witness)
        return std::nullopt;
    auto const hash = core::parse_hash(said.witness->hash);
    if (!hash)
        return std::nullopt;
    eventstore::Head const witness{said.witness->epoch, {said.witness->sequence}, *hash};
    if (said.witness->mac != keys.witness_mac(witness))
        return std::nullopt;
    return witness;
}

std::shared_ptr<Reply const> as_agent_reads(
    manager::ManifestOutcome const& outcome, eventstore::Head const& head, manager::Keys const& keys
) {
    auto reply = std::make_shared<Reply>();
    auto& answer = reply->answer;
    auto const& manifest = outcome.manifest;
    answer.power_status = manifest.power_status;
    answer.heartbeat_interval = manifest.heartbeat_interval;
    answer.manifest_version = outcome.version;
    answer.head = {
        .epoch = head.epoch,
        .sequence = head.sequence.value,
        .hash = core::to_hex(head.hash),
        .mac = keys.witness_mac(head),
        .signature = keys.sign(head),
    };
    if (manifest.order)
        answer.order = order_of(*manifest.order, keys);
    answer.notice = http::notice_text(manifest.notice);
    for (auto const& ask : outcome.wake)
        answer.wake.push_back({.mac = ask.mac.bytes, .id = ask.id});
    return reply;
}

std::shared_ptr<Reply const> refusal(core::Error const& error) {
    auto reply = std::make_shared<Reply>();
    reply->status = error.code == core::ErrorCode::NotSignedIn ? 401
                    : error.code == core::ErrorCode::Gone      ? 410
                    : error.code == core::ErrorCode::NoSpace   ? 507
                                                               : 503;
    reply->detail = error.detail;
    return reply;
}

agent::Outcome outcome_of(Reply const& reply) {
    using Kind = agent::Failure::Kind;
    if (reply.status == 200)
        return reply.answer;
    if (reply.status == 304)
        return agent::Unchanged{};
    auto const kind = reply.status == 401   ? Kind::NotSignedIn
                      : reply.status == 410 ? Kind::Gone
                                            : Kind::Trouble;
    return agent::Failure{.kind = kind, .detail = reply.detail};
}

} // namespace cpm::sim
