#include "agent/logind_bus.hpp"

#include "agent/wire.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <optional>
#include <poll.h>
#include <string_view>

namespace cpm::agent {
namespace {

namespace asio = boost::asio;

constexpr auto kSystemd = "org.freedesktop.systemd1";
constexpr auto kSystemdPath = "/org/freedesktop/systemd1";
constexpr auto kSystemdManager = "org.freedesktop.systemd1.Manager";
constexpr auto kProperties = "org.freedesktop.DBus.Properties";
constexpr std::uint64_t kQuickLimit = 2'000'000; // µs
constexpr std::uint64_t kFirstLook = 100'000;    // µs
constexpr int kFirstLooks = 20;
constexpr std::chrono::seconds kLook{5};
constexpr std::string_view kUnreadable = "logind's answer cannot be read";

/// Whether an inhibitor of these kinds ("shutdown:sleep:idle") is one of this kind.
bool is_about(std::string_view kinds, std::string_view kind) {
    while (true) {
        auto const colon = kinds.find(':');
        if (kinds.substr(0, colon) == kind)
            return true;
        if (colon == std::string_view::npos)
            return false;
        kinds.remove_prefix(colon + 1);
    }
}

std::string error_text(sd_bus_message* reply) {
    auto const* error = sd_bus_message_get_error(reply);
    return error && error->message ? error->message : "no answer";
}

/// The answer about a property that is true or false; none: it is not one.
std::optional<bool> read_truth(sd_bus_message* reply) {
    int truth = 0;
    if (sd_bus_message_is_method_error(reply, nullptr) ||
        sd_bus_message_enter_container(reply, 'v', "b") <= 0 ||
        sd_bus_message_read(reply, "b", &truth) <= 0)
        return std::nullopt;
    return truth != 0;
}

} // namespace

void LogindBus::open() {
    if (sd_bus_open_system(&bus_) < 0) {
        bus_ = nullptr;
        veto = "the system's bus cannot be reached";
        return;
    }
    leaving = Leaving::No; // the end of a suspend may have been missed,
    doubts_act_ = acted;   // and that an act was taken back
    readable_.assign(sd_bus_get_fd(bus_));
    writable_.assign(::fcntl(sd_bus_get_fd(bus_), F_DUPFD_CLOEXEC, 3));
    auto const listen = [&](char const* signal, sd_bus_message_handler_t handler) {
        sd_bus_match_signal_async(
            bus_,
            nullptr,
            kLogindService,
            kLogindPath,
            kLogindManager,
            signal,
            handler,
            nullptr,
            this
        );
    };
    listen("PrepareForSleep", on_sleep);
    listen("PrepareForShutdown", on_shutdown);
    delay_sleep();
    look();
    wait_to_read();
}

void LogindBus::close() {
    release_sleep();
    if (readable_.is_open())
        readable_.release(); // sd-bus closes it
    if (writable_.is_open())
        writable_.close();
    bus_ = sd_bus_close_unref(bus_);
    logind_.clear();
}

void LogindBus::lose(std::string why) {
    veto = std::move(why);
    close();
}

/// Waits for what the bus has to say; one wait at a time.
void LogindBus::wait_to_read() {
    readable_.async_wait(
        asio::posix::stream_descriptor::wait_read,
        [weak = weak_from_this()](boost::system::error_code error) {
            auto const self = weak.lock();
            if (!error && self && self->bus_ && self->pump())
                self->wait_to_read();
        }
    );
}

/// sd_bus_flush would wait for a bus that hangs, and no heartbeat would go out meanwhile.
void LogindBus::send_soon() {
    if (!bus_ || (sd_bus_get_events(bus_) & POLLOUT) == 0)
        return;
    writable_.cancel();
    writable_.async_wait(
        asio::posix::stream_descriptor::wait_write,
        [weak = weak_from_this()](boost::system::error_code error) {
            auto const self = weak.lock();
            if (!error && self && self->bus_)
                (void)self->pump();
        }
    );
}

/// Takes in what has come, lets go what waits; false: the connection broke.
bool LogindBus::pump() {
    int more = 1;
    while (more > 0)
        more = sd_bus_process(bus_, nullptr);
    if (more >= 0) {
        send_soon();
        return true;
    }
    lose("the connection to the system's bus broke");
    return false;
}

/// Waits for the first answer of logind, so that nothing but what it says is ever reported.
void LogindBus::wait_for_first_look() {
    for (int i = 0; i < kFirstLooks && bus_ && logind_.empty(); ++i)
        if (sd_bus_wait(bus_, kFirstLook) < 0 || !pump())
            return;
}

void LogindBus::look() {
    if (!bus_) {
        open(); // and looks, if it can
        if (bus_)
            return;
    } else if (pump()) { // also lets calls that nobody answers run out
        int const sent = sd_bus_call_method_async(
            bus_,
            nullptr,
            kLogindService,
            kLogindPath,
            kLogindManager,
            "ListInhibitors",
            on_inhibitors,
            this,
            ""
        );
        if (sent < 0)
            veto = "logind cannot be asked";
        if (doubts_act_)
            ask_preparing("PreparingForShutdown", on_preparing_shutdown);
        send_soon();
    }
    look_again();
}

void LogindBus::look_again() {
    timer_.expires_after(kLook);
    timer_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
        auto const self = weak.lock();
        if (!error && self)
            self->look();
    });
}

int LogindBus::on_inhibitors(sd_bus_message* reply, void* self, sd_bus_error*) {
    auto& bus = *static_cast<LogindBus*>(self);
    if (sd_bus_message_is_method_error(reply, nullptr)) {
        bus.veto = plain_line("logind: " + error_text(reply));
        return 0;
    }
    auto const* sender = sd_bus_message_get_sender(reply);
    std::string const name = sender ? sender : "";
    // Another logind than before: what the former said last may have been missed.
    if (!bus.logind_.empty() && bus.logind_ != name)
        bus.doubts_act_ = bus.acted;
    bus.logind_ = name;
    bus.read_inhibitors(reply);
    return 0;
}

void LogindBus::read_inhibitors(sd_bus_message* reply) {
    std::string any;
    std::string sleep;
    char const* what = nullptr;
    char const* who = nullptr;
    char const* why = nullptr;
    char const* mode = nullptr;
    std::uint32_t user = 0;
    std::uint32_t process = 0;
    bool const is_list = sd_bus_message_enter_container(reply, 'a', "(ssssuu)") > 0;
    int more = is_list ? 1 : -1;
    while (more > 0) {
        more = sd_bus_message_read(reply, "(ssssuu)", &what, &who, &why, &mode, &user, &process);
        // One that only delays is waited for by logind itself; any other kind blocks.
        if (more <= 0 || std::string_view(mode) == "delay")
            continue;
        auto const text = plain_line(fmt::format("inhibited by {}: {}", who, why));
        if (is_about(what, "shutdown") && any.empty())
            any = text;
        if (is_about(what, "sleep") && sleep.empty())
            sleep = text;
    }
    veto = more < 0 ? std::string(kUnreadable) : any;
    sleep_veto = sleep;
}

/// Anybody may send a signal of this name to anybody on the bus.
bool LogindBus::is_from_logind(sd_bus_message* signal) const {
    auto const* sender = sd_bus_message_get_sender(signal);
    return sender && !logind_.empty() && logind_ == sender;
}

int LogindBus::on_sleep(sd_bus_message* signal, void* self, sd_bus_error*) {
    auto& bus = *static_cast<LogindBus*>(self);
    int begins = 0;
    if (!bus.is_from_logind(signal) || sd_bus_message_read(signal, "b", &begins) <= 0)
        return 0;
    bus.leaving = begins ? Leaving::Suspend : Leaving::No;
    if (!begins) {
        bus.delay_sleep();
        // After a resume that counts this cancels nothing: the act was another identity's.
        bus.cancelled |= std::exchange(bus.acted, false);
    }
    return 0;
}

int LogindBus::on_shutdown(sd_bus_message* signal, void* self, sd_bus_error*) {
    auto& bus = *static_cast<LogindBus*>(self);
    int begins = 0;
    if (!bus.is_from_logind(signal) || sd_bus_message_read(signal, "b", &begins) <= 0)
        return 0;
    if (!begins && std::exchange(bus.acted, false))
        bus.cancelled = true;
    return 0;
}

void LogindBus::doubt_act() {
    acted = doubts_act_ = true;
    if (bus_)
        ask_preparing("PreparingForShutdown", on_preparing_shutdown);
}

void LogindBus::ask_preparing(char const* property, sd_bus_message_handler_t handler) {
    sd_bus_call_method_async(
        bus_,
        nullptr,
        kLogindService,
        kLogindPath,
        kProperties,
        "Get",
        handler,
        this,
        "ss",
        kLogindManager,
        property
    );
    send_soon();
}

int LogindBus::on_preparing_shutdown(sd_bus_message* reply, void* self, sd_bus_error*) {
    auto& bus = *static_cast<LogindBus*>(self);
    auto const prepares = read_truth(reply);
    if (!prepares)
        return 0; // asked again with the next look
    if (*prepares)
        bus.doubts_act_ = false; // from here on its signals tell
    else
        bus.ask_preparing("PreparingForSleep", on_preparing_sleep);
    return 0;
}

int LogindBus::on_preparing_sleep(sd_bus_message* reply, void* self, sd_bus_error*) {
    auto& bus = *static_cast<LogindBus*>(self);
    auto const prepares = read_truth(reply);
    if (!prepares || !bus.doubts_act_)
        return 0;
    bus.doubts_act_ = false;
    if (!*prepares && std::exchange(bus.acted, false))
        bus.cancelled = true;
    return 0;
}

/// Asks that a suspend waits until the manager was told of it.
void LogindBus::delay_sleep() {
    if (!bus_ || delay_ >= 0)
        return;
    sd_bus_call_method_async(
        bus_,
        nullptr,
        kLogindService,
        kLogindPath,
        kLogindManager,
        "Inhibit",
        on_delay,
        this,
        "ssss",
        "sleep",
        "cpm-agent",
        "tells the manager that this machine is suspended",
        "delay"
    );
    send_soon();
}

int LogindBus::on_delay(sd_bus_message* reply, void* self, sd_bus_error*) {
    int fd = -1;
    if (sd_bus_message_read(reply, "h", &fd) > 0 && fd >= 0) {
        auto& bus = *static_cast<LogindBus*>(self);
        bus.release_sleep();
        bus.delay_ = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
    }
    return 0;
}

/// The agent is being stopped, so this may wait for the answer; but not for a bus that has not even
/// greeted it.
void LogindBus::look_at_jobs() {
    if (!bus_ || sd_bus_is_ready(bus_) <= 0)
        return;
    sd_bus_message* call = nullptr;
    sd_bus_message* reply = nullptr;
    sd_bus_message_new_method_call(
        bus_, &call, kSystemd, kSystemdPath, kSystemdManager, "ListJobs"
    );
    if (sd_bus_call(bus_, call, kQuickLimit, nullptr, &reply) >= 0) {
        sd_bus_message_enter_container(reply, 'a', "(usssoo)");
        std::uint32_t id = 0;
        char const* unit = nullptr;
        char const* type = nullptr;
        char const* state = nullptr;
        char const* job = nullptr;
        char const* path = nullptr;
        while (sd_bus_message_read(reply, "(usssoo)", &id, &unit, &type, &state, &job, &path) > 0) {
            std::string_view const name = unit;
            if (std::string_view(type) != "start")
                continue;
            if (name == "reboot.target" || name == "kexec.target")
                leaving = Leaving::Reboot;
            else if (name == "poweroff.target" || name == "halt.target")
                leaving = Leaving::PowerOff;
        }
    }
    sd_bus_message_unref(reply);
    sd_bus_message_unref(call);
}

} // namespace cpm::agent
