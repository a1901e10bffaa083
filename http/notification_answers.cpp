#include "http/notification_answers.hpp"

#include <boost/json/array.hpp>

namespace cpm::http {

boost::json::object rolled_back_notification() {
    return {
        {"id", "rolled_back"},
        {"kind", "rolled_back"},
        {"severity", "error"},
        {"server_ids", boost::json::array{}},
        {"text",
         "The event log is older than it was (a restored disk, a truncated log). Nobody is told "
         "OFF, and power requests are refused, until an administrator accepts this."},
        {"since", nullptr},
        {"actions", boost::json::array{"accept_rollback"}},
    };
}

} // namespace cpm::http
