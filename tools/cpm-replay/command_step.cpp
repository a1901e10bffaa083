// cpm-replay step: event by event, what each changed; by keys in a terminal, plain when piped.
#include "projections/event_json.hpp"
#include "projections/event_text.hpp"
#include "projections/json_parts.hpp"
#include "tools/cpm-replay/commands.hpp"
#include "tools/cpm-replay/interruption.hpp"
#include "tools/cpm-replay/keyboard.hpp"
#include "tools/cpm-replay/names.hpp"
#include "tools/cpm-replay/output.hpp"
#include "tools/cpm-replay/steps.hpp"
#include "tools/cpm-replay/text_width.hpp"

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace cpm::replay {
namespace {

constexpr auto kClear = "\x1b[H\x1b[2J\x1b[3J";
constexpr auto kKeys = "n next   p back   ] next change of status   [ the one before   g first   "
                       "G last   q quit";

std::vector<std::string> lines_of(Step const& step) {
    auto const& event = step.event;
    std::vector<std::string> lines;
    lines.push_back(fmt::format(
        "event {}  {}  {}  by {}",
        event.sequence.value,
        core::to_rfc3339(event.at),
        type_name(event.payload),
        projections::to_text(event.actor)
    ));
    if (auto const summary = projections::summarize(event.payload); !summary.empty())
        lines.push_back("  " + summary);
    if (event.sequence != event.decision)
        lines.push_back(fmt::format("  in the decision of event {}", event.decision.value));
    std::size_t width = 0;
    for (auto const& change : step.changes)
        width = std::max(width, change.field.size());
    for (auto const& change : step.changes)
        lines.push_back(fmt::format(
            "    {:<{}}  {} → {}",
            change.field,
            width,
            change.before.empty() ? "-" : change.before,
            change.after.empty() ? "-" : change.after
        ));
    if (step.changes.empty())
        lines.emplace_back("    changes nothing");
    return lines;
}

boost::json::object to_json(Step const& step) {
    boost::json::array changes;
    for (auto const& change : step.changes)
        changes.push_back(boost::json::object{
            {"field", change.field},
            {"before", projections::text_or_null(change.before)},
            {"after", projections::text_or_null(change.after)}});
    auto object = projections::to_json(step.event, step.hash);
    object["changes"] = std::move(changes);
    return object;
}

Outcome print_all(Steps& steps, Options const& options) {
    JsonRows rows(options.output);
    bool is_read = true;
    for (std::size_t i = 0; i < steps.size() && is_read && !stop_requested(); ++i) {
        auto const step = steps.at(i);
        if (!step)
            return tl::make_unexpected(step.error());
        if (options.output != Output::Table) {
            is_read = rows.row(to_json(*step));
            continue;
        }
        for (auto const& line : lines_of(*step))
            is_read = is_read && write(printable(line) + '\n');
    }
    if (options.output != Output::Table)
        rows.end();
    return kFine;
}

/// One step fills the terminal: its place, what happened, and the keys at the bottom.
void draw(
    std::string const& name, Steps const& steps, std::size_t index, Step const& step, Screen screen
) {
    auto const line = [&](std::string const& text) {
        write(fit(printable(text), screen.width ? screen.width : 80) + '\n');
    };
    write(kClear);
    line(fmt::format("{}: {} of {}", name, index + 1, steps.size()));
    write("\n");
    for (auto const& text : lines_of(step))
        line(text);
    write("\n");
    for (auto const& text : wrap(kKeys, screen.width ? screen.width : 80))
        line(text);
    flush_output();
}

Outcome walk_by_keys(std::string const& name, Steps& steps, Options const& options) {
    Keyboard keyboard;
    std::size_t index = 0;
    for (;;) {
        auto const step = steps.at(index);
        if (!step)
            return tl::make_unexpected(step.error());
        draw(name, steps, index, *step, standard_output(options.no_color));
        switch (keyboard.read()) {
        case Key::Next: index = std::min(index + 1, steps.size() - 1); break;
        case Key::Previous: index -= index > 0 ? 1 : 0; break;
        case Key::NextChange: index = steps.next_change(index).value_or(index); break;
        case Key::PreviousChange: index = steps.previous_change(index).value_or(index); break;
        case Key::First: index = 0; break;
        case Key::Last: index = steps.size() - 1; break;
        case Key::Redraw:
        case Key::Other: break;
        case Key::Quit: return kFine;
        }
    }
}

} // namespace

Outcome step(eventstore::EventReader const& log, Options const& options) {
    ServerChoice choice(options.servers);
    if (auto const resolved = choice.resolve(log); !resolved)
        return tl::make_unexpected(resolved.error());
    Steps steps(log, choice.latest());
    if (auto const loaded = steps.load(); !loaded)
        return tl::make_unexpected(loaded.error());
    bool const by_keys = options.output == Output::Table && Keyboard::is_there();
    if (!by_keys || steps.size() == 0 || stop_requested())
        return print_all(steps, options);
    return walk_by_keys(options.servers.front(), steps, options);
}

} // namespace cpm::replay
