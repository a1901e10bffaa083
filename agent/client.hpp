#pragma once

#include "agent/url.hpp"
#include "agent/values.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <tl/expected.hpp>

#include <memory>
#include <string>

namespace cpm::agent {

/// How the manager is told from anyone else.
enum class Trust : std::uint8_t {
    Plain,  ///< http: not at all; only orders are signed
    Pinned, ///< its own CA, pinned when this machine joined; its name is always cpm-manager
    System, ///< a CA this machine trusts, and the name in the URL
};

struct ClientConfig {
    Url url;
    Trust trust = Trust::System;
    std::string ca_certificate; ///< PEM; for Pinned
};

struct HttpQuestion {
    bool post = true;
    std::string target{};
    std::string body{};          ///< JSON; for POST
    std::string token{};         ///< empty: none
    std::string if_none_match{}; ///< without its quotes; empty: none
};

struct HttpAnswer {
    unsigned status = 0;
    std::string body; ///< at most 64 KiB
};

/// Talks to the manager over one connection that is kept.
///
/// Operation: `ask` connects when it has to, sends and reads within one limit. Redirects are not
/// followed: any status is an answer. Nothing is sent twice. Concurrency: one call at a time; the
/// thread of the io_context. Limitations: looking up a name may outlast the limit by what the
/// system's resolver takes.
class Client {
  public:
    /// Throws std::runtime_error when the CA certificate cannot be read.
    Client(boost::asio::io_context& io, ClientConfig config);
    Client(Client const&) = delete;
    Client& operator=(Client const&) = delete;
    ~Client();

    /// The error is for the journal: what went wrong and, where known, what to do.
    boost::asio::awaitable<tl::expected<HttpAnswer, std::string>>
    ask(HttpQuestion question, std::chrono::seconds limit);

    /// Ends the call under way, which then gives an error, and the connection.
    void cut();

  private:
    class Link;
    std::unique_ptr<Link> link_;
};

/// The certificate whose SHA-256 is `pin` ("sha256:" and 64 hexadecimal digits) out of the chain
/// that the manager shows, in PEM. Nothing is sent, and nothing else of the chain is believed.
boost::asio::awaitable<tl::expected<std::string, std::string>>
fetch_pinned_certificate(Url url, std::string pin, std::chrono::seconds limit);

} // namespace cpm::agent
