#include "http/agent_witness.hpp"

#include "core/hex.hpp"
#include "http/json_input.hpp"
#include "manager/accounts_codec.hpp"

#include <boost/json/object.hpp>
#include <fmt/format.h>

#include <limits>
#include <sodium.h>

namespace cpm::http {
namespace {

constexpr std::uint64_t kAnyNumber = std::numeric_limits<std::uint64_t>::max();
constexpr std::size_t kMaxText = 200;

bool is_same(std::string_view a, std::string_view b) {
    return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

} // namespace

std::optional<eventstore::Head> read_witness(Request const& request, manager::Keys const& keys) {
    auto const body = read_object(request.body);
    auto const* given = body ? body->if_contains("witness") : nullptr;
    auto const* object = given ? given->if_object() : nullptr;
    if (!object)
        return std::nullopt;
    Faults faults;
    Fields fields(*object, faults, Nulls::AreAbsent, "witness.");
    auto const epoch = fields.number("epoch", 1, kAnyNumber);
    auto const sequence = fields.number("sequence", 1, kAnyNumber);
    auto const hash = core::parse_hash(fields.text("hash", kMaxText).value_or(""));
    auto const mac = fields.text("mac", kMaxText);
    if (!epoch || !sequence || !hash || !mac)
        return std::nullopt;
    eventstore::Head const witness{*epoch, {*sequence}, *hash};
    if (!is_same(*mac, keys.witness_mac(witness)))
        return std::nullopt;
    return witness;
}

std::string contradiction(
    eventstore::Head const& witness,
    eventstore::Head const& head,
    eventstore::EventReader const& log
) {
    if (witness.epoch < head.epoch)
        return {};
    if (witness.epoch > head.epoch)
        return fmt::format(
            "an agent knows it in epoch {}, but it is of epoch {}", witness.epoch, head.epoch
        );
    if (witness.sequence > head.sequence)
        return fmt::format(
            "an agent knows its event {}, but it ends at event {}",
            witness.sequence.value,
            head.sequence.value
        );
    std::optional<core::Hash> hash;
    // A record that cannot be read is a matter of its own, and not compared.
    (void)log.read(witness.sequence, witness.sequence, [&](eventstore::StoredEvent const& stored) {
        hash = stored.hash;
        return false;
    });
    if (!hash || *hash == witness.hash)
        return {};
    return fmt::format("an agent knows another event {}", witness.sequence.value);
}

} // namespace cpm::http
