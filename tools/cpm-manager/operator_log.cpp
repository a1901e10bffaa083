#include "tools/cpm-manager/operator_log.hpp"

#include "projections/event_text.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <sys/stat.h>
#include <sys/syslog.h>
#include <sys/uio.h>
#include <unistd.h>
#include <vector>

#define SD_JOURNAL_SUPPRESS_LOCATION // a line of this file says nothing to an operator
#include <systemd/sd-journal.h>

namespace cpm::tools {
namespace {

/// Whether standard error is the journal's stream (JOURNAL_STREAM, systemd.exec(5)): "DEVICE:INODE"
/// in decimal.
bool stderr_is_the_journals() {
    char const* const text = std::getenv("JOURNAL_STREAM");
    struct stat file {};
    if (!text || ::fstat(STDERR_FILENO, &file) != 0)
        return false;
    return fmt::format("{}:{}", file.st_dev, file.st_ino) == text;
}

/// Names and reports come from people and agents: what could begin another line or steer a terminal
/// becomes "?".
std::string printable(std::string text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto const byte = static_cast<unsigned char>(text[i]);
        bool const is_c1 =
            byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0;
        if (byte < 0x20 || byte == 0x7f || is_c1)
            text[i] = '?';
        if (is_c1)
            text[++i] = '?';
    }
    return text;
}

int priority_of(core::Event const& event) {
    auto const* wake = std::get_if<core::WakeSent>(&event.payload);
    bool const is_warning = (wake && !wake->ok) || event.actual == core::ActualStatus::Crashed ||
                            std::holds_alternative<core::PowerWithdrawn>(event.payload) ||
                            std::holds_alternative<core::AgentSetAside>(event.payload) ||
                            std::holds_alternative<core::SignInFailed>(event.payload) ||
                            std::holds_alternative<core::RollbackAccepted>(event.payload);
    return is_warning ? LOG_WARNING : LOG_INFO;
}

void send(std::vector<std::string> fields) {
    std::vector<iovec> vectors;
    vectors.reserve(fields.size());
    for (auto& field : fields)
        vectors.push_back({field.data(), field.size()});
    // A journal that does not answer is no reason to stop serving.
    (void)::sd_journal_sendv(vectors.data(), static_cast<int>(vectors.size()));
}

std::vector<std::string> entry(std::string_view line, int priority) {
    return {
        fmt::format("MESSAGE={}", line),
        fmt::format("PRIORITY={}", priority),
        "SYSLOG_IDENTIFIER=cpm-manager",
    };
}

void print(std::string_view line) {
    fmt::print(stderr, "cpm-manager: {}\n", line);
}

} // namespace

OperatorLog::OperatorLog()
    : to_journal_(stderr_is_the_journals()) {}

void OperatorLog::say(std::string_view line) const {
    if (to_journal_)
        send(entry(line, LOG_INFO));
    else
        print(line);
}

void OperatorLog::warn(std::string_view line) const {
    if (to_journal_)
        send(entry(line, LOG_WARNING));
    else
        print(line);
}

std::string OperatorLog::line_of(core::Event const& event, core::Server const* server) {
    auto line = fmt::format("{} {}", event.sequence.value, core::type_name(event.payload));
    if (server)
        line += " " + server->config.name;
    else if (event.server)
        line += " " + to_string(event.server);
    if (auto const says = projections::summarize(event.payload); !says.empty())
        line += ": " + says;
    line += fmt::format(" ({})", projections::to_text(event.actor));
    if (event.actual)
        line += fmt::format(", {}", to_string(*event.actual));
    return printable(std::move(line));
}

void OperatorLog::tell(core::Event const& event, core::Server const* server) const {
    bool const is_heartbeat = std::holds_alternative<core::HeartbeatReceived>(event.payload);
    if (is_heartbeat && (!server || server->changed != event.sequence))
        return;
    auto const line = line_of(event, server);
    if (!to_journal_) {
        print(line);
        return;
    }
    auto fields = entry(line, priority_of(event));
    fields.push_back(fmt::format("CPM_SEQUENCE={}", event.sequence.value));
    fields.push_back(fmt::format("CPM_TYPE={}", core::type_name(event.payload)));
    fields.push_back(fmt::format("CPM_ACTOR={}", projections::to_text(event.actor)));
    if (event.server)
        fields.push_back("CPM_SERVER=" + to_string(event.server));
    if (server)
        fields.push_back("CPM_SERVER_NAME=" + server->config.name);
    if (event.actual)
        fields.push_back(fmt::format("CPM_STATUS={}", to_string(*event.actual)));
    send(std::move(fields));
}

} // namespace cpm::tools
