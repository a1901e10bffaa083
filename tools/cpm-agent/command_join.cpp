#include "agent/clock.hpp"
#include "agent/store.hpp"
#include "agent/wire.hpp"
#include "tools/cpm-agent/commands.hpp"
#include "wol/interfaces.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <fmt/format.h>

#include <array>
#include <sodium.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

namespace cpm::tools {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;

constexpr std::chrono::seconds kLimit{20};

/// Runs one coroutine to its end.
template <class T>
T await(asio::io_context& io, asio::awaitable<T> work) {
    auto result = asio::co_spawn(io, std::move(work), asio::use_future);
    io.run();
    io.restart();
    return result.get();
}

/// A card of its own hardware, or, where there is none (a container), any.
tl::expected<std::vector<std::string>, std::string> own_macs() {
    auto const interfaces = wol::list_interfaces();
    if (!interfaces)
        return tl::make_unexpected(interfaces.error());
    std::vector<std::string> all;
    std::vector<std::string> hardware;
    for (auto const& interface : *interfaces) {
        if (interface.loopback || !interface.mac)
            continue;
        all.push_back(fmt::format("{:02x}", fmt::join(*interface.mac, ":")));
        std::error_code ignored;
        if (fs::exists(fmt::format("/sys/class/net/{}/device", interface.name), ignored))
            hardware.push_back(all.back());
    }
    return hardware.empty() ? all : hardware;
}

std::string own_name() {
    std::array<char, 256> name{};
    ::gethostname(name.data(), name.size() - 1);
    return name.data();
}

std::string own_system() {
    utsname system{};
    ::uname(&system);
    return fmt::format("{} {}", system.sysname, system.release);
}

/// Whom to believe: what the flags say, with the CA fetched if one is pinned.
tl::expected<agent::ClientConfig, std::string>
trust_of(AgentOptions const& options, asio::io_context& io) {
    agent::ClientConfig config{.url = options.manager, .trust = {}, .ca_certificate = {}};
    if (!options.manager.secure) {
        config.trust = agent::Trust::Plain;
        if (!options.manager.is_loopback())
            agent_report("warning: over plain HTTP anybody on the network can read this agent's "
                         "token and pretend to be the manager; use the https:// join line");
        return config;
    }
    config.trust = agent::Trust::System;
    if (options.ca_pin.empty())
        return config;
    auto certificate =
        await(io, agent::fetch_pinned_certificate(options.manager, options.ca_pin, kLimit));
    if (!certificate)
        return tl::make_unexpected(certificate.error());
    config.trust = agent::Trust::Pinned;
    config.ca_certificate = *certificate;
    return config;
}

tl::expected<agent::JoinAnswer, std::string> ask_to_join(
    AgentOptions const& options,
    std::vector<std::string> const& macs,
    agent::ClientConfig const& config,
    asio::io_context& io
) {
    agent::JoinQuestion const question{
        .join_token = options.join_token,
        .hostname = own_name(),
        .mac_addresses = macs,
        .os = own_system(),
    };
    agent::Client client(io, config);
    agent::HttpQuestion call{
        .target = "/agent/v1/join", .body = agent::join_body(question, CPM_VERSION)};
    auto const answer = await(io, client.ask(std::move(call), kLimit));
    if (!answer)
        return tl::make_unexpected(answer.error());
    if (answer->status != 200) {
        auto const detail = agent::problem_detail(answer->body);
        return tl::make_unexpected(
            detail.empty() ? fmt::format("the manager answered {}", answer->status) : detail
        );
    }
    return agent::parse_join_answer(answer->body);
}

std::string random_id() {
    std::array<unsigned char, 16> bytes{};
    randombytes_buf(bytes.data(), bytes.size());
    return fmt::format("{:02x}", fmt::join(bytes, ""));
}

/// The token it had, as something to fall back to when the manager lost the new one.
std::string earlier_token(AgentOptions const& options, std::string const& server_id) {
    auto const earlier = agent::load_credentials(options.state_directory);
    return earlier && *earlier && (*earlier)->server_id == server_id ? (*earlier)->agent_token : "";
}

tl::expected<agent::Credentials, std::string> join(AgentOptions const& options) {
    // Before the token is spent: what it gives must find its place.
    std::error_code error;
    fs::create_directories(options.state_directory, error);
    if (::access(options.state_directory.c_str(), W_OK) != 0)
        return tl::make_unexpected(
            fmt::format("{}: cannot be written; run this as root", options.state_directory.string())
        );
    auto macs = options.mac_addresses;
    if (macs.empty()) {
        auto own = own_macs();
        if (!own)
            return tl::make_unexpected(own.error());
        macs = std::move(*own);
    }
    asio::io_context io(1);
    auto const config = trust_of(options, io);
    if (!config)
        return tl::make_unexpected(config.error());
    auto const joined = ask_to_join(options, macs, *config, io);
    if (!joined)
        return tl::make_unexpected(joined.error());
    return agent::Credentials{
        .manager_url = options.manager.text(),
        .trust = config->trust,
        .ca_certificate = config->ca_certificate,
        .server_id = joined->server_id,
        .agent_token = joined->agent_token,
        .previous_token = earlier_token(options, joined->server_id),
        .order_key = joined->order_key,
        .mac_addresses = macs,
        .join_id = random_id(),
        .token_since = agent::read_wall_clock(),
    };
}

} // namespace

int agent_join(AgentOptions const& options) {
    auto const credentials = join(options);
    if (!credentials) {
        agent_report(credentials.error());
        return kNotDone;
    }
    if (options.start)
        (void)systemctl({"stop", "cpm-agent.service"});
    // First the new ones, in the old ones' place: a join that ends here leaves one or the other.
    if (auto stored = agent::save_credentials(options.state_directory, *credentials); !stored) {
        agent_report(stored.error());
        return kNotDone;
    }
    // Another manager's log is no rollback of this one's, and identities begin anew (1.4, joined).
    // What a daemon that still runs writes down again is of another join, and does not count.
    agent::drop_marker(options.run_directory);
    agent::drop_head(options.state_directory);
    fmt::print("joined {} as {}\n", credentials->manager_url, credentials->server_id);
    if (!options.start)
        return 0;
    if (systemctl({"enable", "cpm-agent.service"}) && systemctl({"restart", "cpm-agent.service"}))
        return 0;
    agent_report("joined, but cpm-agent.service was not started; start it, or run: cpm-agent run");
    return kNotDone;
}

} // namespace cpm::tools
