#include "tools/cpm-replay/copied.hpp"

#include "core/hex.hpp"
#include "eventstore/hash.hpp"
#include "tools/cpm-replay/output.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

namespace cpm::replay {

void tell_copied(
    std::string_view what,
    std::filesystem::path const& where,
    eventstore::Head const& head,
    Output output
) {
    if (output == Output::Table)
        write(fmt::format(
            "{} {}: epoch {}, head {} {}\n",
            what,
            where.string(),
            head.epoch,
            head.sequence.value,
            core::to_hex(head.hash)
        ));
    else
        write(
            boost::json::serialize(boost::json::object{
                {"directory", where.string()},
                {"epoch", head.epoch},
                {"sequence", head.sequence.value},
                {"hash", core::to_hex(head.hash)}}) +
            '\n'
        );
}

} // namespace cpm::replay
