#pragma once

#include "http/server.hpp"
#include "tools/cpm-manager/certificate.hpp"
#include "tools/cpm-manager/operator_log.hpp"
#include "tools/cpm-manager/options.hpp"

#include <functional>
#include <optional>
#include <variant>

namespace cpm::tools {

/// What SIGHUP does (HTTP 3.7): reads the options again, takes over what can be without a restart
/// (host names, public URL, the files of the certificate), names what cannot, and shows the
/// certificate anew. What is wrong is told, and all stays as it was.
///
/// Concurrency: the interface's thread. All arguments must outlive it.
class Reload {
  public:
    using ReadOptions = std::function<std::variant<Options, UsageError, HelpText>()>;

    Reload(
        ReadOptions read,
        Options& options,
        std::optional<Certificate>& certificate,
        http::Server& server,
        OperatorLog const& log
    );

    void operator()();

  private:
    void reread_options();
    void take_over(Options&& fresh);
    bool take_over(std::string_view key, Options& fresh);
    void take_files(GivenCertificate const& files);
    void renew_certificate();

    ReadOptions read_;
    Options& options_;
    std::optional<Certificate>& certificate_;
    http::Server& server_;
    OperatorLog const& log_;
};

} // namespace cpm::tools
