// One power request for many servers (HTTP 3.2): all decided in one round, each by itself.
#include "http/answers.hpp"
#include "http/handlers.hpp"
#include "http/password_input.hpp"
#include "http/problem.hpp"
#include "http/step_up.hpp"
#include "manager/power_commands.hpp"

#include <algorithm>
#include <unordered_set>

namespace cpm::http {
namespace {

namespace json = boost::json;
using manager::RequestPowerOfMany;

constexpr std::size_t kMaxTag = 64;
constexpr std::uint64_t kMostServers = 1'000'000;

std::vector<core::ServerId> read_servers(Fields& fields) {
    std::vector<core::ServerId> servers;
    std::unordered_set<core::ServerId> seen;
    for (auto const& text : fields.texts("servers").value_or(std::vector<std::string>{})) {
        auto const id = core::parse_server_id(text);
        if (!id) {
            fields.fault("servers", "must be ids like srv_0123456789abcdef");
            return {};
        }
        if (!seen.insert(*id).second)
            fields.fault("servers", "names " + text + " twice");
        servers.push_back(*id);
    }
    return servers;
}

struct Read {
    RequestPowerOfMany command;
    Confirmation confirmation;
    std::string said; ///< what a repetition must repeat
};

core::Result<Read> read_request(Request const& request) {
    auto object = read_object(request.body);
    if (!object)
        return tl::make_unexpected(object.error());
    Faults faults;
    Fields fields(*object, faults);
    Read read;
    auto& command = read.command;
    if (fields.require("power_status"))
        command.target = fields.parsed("power_status", core::parse_power_status, "ON or OFF")
                             .value_or(core::PowerStatus::On);
    command.servers = read_servers(fields);
    command.tag = fields.text("tag", kMaxTag);
    bool const has_servers = object->contains("servers");
    if (has_servers == object->contains("tag"))
        fields.fault("servers", "send either servers or a tag");
    else if (has_servers && command.servers.empty() && faults.empty())
        fields.fault("servers", "must name at least one server");
    command.include_manager = fields.flag("include_manager").value_or(false);
    read.confirmation.password = fields.text("password", kMaxPassword);
    read.confirmation.count = fields.number("confirm_count", 0, kMostServers);
    fields.refuse_unknown();
    if (auto const fine = faults.result(); !fine)
        return tl::make_unexpected(fine.error());
    read.said = without_password(std::move(*object));
    return read;
}

json::object item_json(RequestPowerOfMany::Item const& item, core::WallTime now) {
    json::object object{{"server_id", core::to_string(item.server)}};
    if (item.outcome) {
        object["outcome"] = item.outcome->accepted ? "accepted" : "unchanged";
        object["sequence"] = sequence_or_null(item.outcome->sequence);
    } else {
        object["problem"] = problem_json(item.outcome.error(), now);
    }
    return object;
}

manager::Answer render_items(manager::Turn const& turn, RequestPowerOfMany::Outcome&& outcome) {
    json::array results;
    results.reserve(outcome.items.size());
    for (auto const& item : outcome.items)
        results.push_back(item_json(item, turn.now().wall));
    return make_answer(200, {{"results", std::move(results)}});
}

} // namespace

HandlerResult request_power_of_many(App& app, Request const& request, Caller const& caller) {
    auto read = read_request(request);
    if (!read)
        co_return refused(app, read.error());
    auto proof = co_await prove(app, request, caller, std::move(read->confirmation));
    if (!proof)
        co_return refused(app, proof.error());
    auto& command = read->command;
    command.actor = caller.actor;
    command.proof = *proof;
    Render<RequestPowerOfMany> render = render_items;
    co_return co_await answer_change_of(
        app, request, caller, std::move(read->said), std::move(command), std::move(render)
    );
}

} // namespace cpm::http
