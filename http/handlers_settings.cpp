// The settings people change at run time (HTTP 3.2).
#include "http/answers.hpp"
#include "http/handlers.hpp"
#include "manager/people_commands.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace cpm::http {
namespace {

namespace json = boost::json;
using manager::ChangeSettings;

json::object settings_json(core::Settings const& settings) {
    json::object object;
    for (auto const& [name, value] : core::list(settings))
        object[name] = json::parse(value); // our own text: a number, true or false
    return object;
}

/// The changes a body asks for; every field that is no setting or out of range is a fault.
core::Result<std::vector<core::SettingChange>> read_changes(std::string_view body) {
    auto const object = read_object(body);
    if (!object)
        return tl::make_unexpected(object.error());
    Faults faults;
    core::Settings trial;
    std::vector<core::SettingChange> changes;
    for (auto const& [name, value] : *object) {
        changes.emplace_back(name, json::serialize(value));
        if (auto const fine = core::apply(trial, changes.back()); !fine)
            for (auto const& fault : fine.error().fields)
                faults.add(fault.field, fault.message);
    }
    if (auto const fine = faults.result(); !fine)
        return tl::make_unexpected(fine.error());
    return changes;
}

} // namespace

HandlerResult get_settings(App& app, Request const& /*request*/, Caller const& /*caller*/) {
    auto response = json_response(200, settings_json(app.model.fleet().settings));
    response.headers.emplace_back("ETag", etag(manager::version_of_settings(app.model.fleet())));
    co_return response;
}

HandlerResult change_settings(App& app, Request const& request, Caller const& caller) {
    auto const version = if_match(request);
    if (!version)
        co_return refused(app, version.error());
    auto changes = read_changes(request.body);
    if (!changes)
        co_return refused(app, changes.error());
    ChangeSettings command{caller.actor, std::move(*changes), *version};
    Render<ChangeSettings> render = [](manager::Turn const& turn, manager::Recorded&& recorded) {
        auto answer = make_answer(
            200,
            {{"settings", settings_json(turn.fleet().settings)},
             {"sequence", sequence_or_null(recorded.sequence)}}
        );
        answer.etag = etag(manager::version_of_settings(turn.fleet()));
        return answer;
    };
    co_return co_await answer_change(app, request, caller, std::move(command), std::move(render));
}

} // namespace cpm::http
