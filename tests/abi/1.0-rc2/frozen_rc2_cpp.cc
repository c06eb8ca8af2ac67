// A sink in C++, from the header of 1.0-rc2 alone: a file per transaction, with the number of its
// rows, that answers what became of it.
#include <patchbay/abi.h>

#include <filesystem>
#include <fstream>
#include <string>

BAY_PLUGIN_NOTE("frozen_rc2_cpp", "1.0.0", 0);

struct bay_object {
  std::string folder;
  bool refuses;
};
struct bay_writer {
  std::string folder, txn, stream;
  int64_t rows = 0;
};

namespace {

namespace fs = std::filesystem;

const bay_host* host;

bay_str text(const std::string& value) { return {value.data(), value.size()}; }
std::string copy(bay_str value) { return {value.data, value.size}; }
std::string copy(bay_bytes value) {
  return {reinterpret_cast<const char*>(value.data), value.size};
}

bay_status fail(bay_call* call, bay_status status, const std::string& message) {
  host->fail(call, status, text(message), {nullptr, 0});
  return status;
}

bay_status create(bay_call* call, bay_context*, bay_str config, bay_object** out) {
  const std::string json = copy(config);
  if (json.size() < 2 || json.front() != '{' || json.back() != '}')
    return fail(call, BAY_E_CONFIG, "configuration: must be an object");
  const std::string folder = "\"folder\":\"";
  const size_t at = json.find(folder);
  if (at == std::string::npos) return fail(call, BAY_E_CONFIG, "folder: missing");
  const size_t begin = at + folder.size();
  *out = new bay_object{json.substr(begin, json.find('"', begin) - begin),
                        json.find("\"refuses\":true") != std::string::npos};
  return BAY_OK;
}
void destroy(bay_object* object) { delete object; }

bay_status epoch_of(bay_call* call, bay_epoch& out) {
  out.struct_size = sizeof out;
  if (!BAY_HAS(host, bay_host, epoch)) return fail(call, BAY_E_CONFIG, "needs ABI 1.0-rc2");
  return host->epoch(call, &out);
}

bay_status open_writer(bay_call* call, bay_object* object, const ArrowSchema* stream, bay_str txn,
                       bay_writer** out) {
  const std::string target = object->folder + "/" + copy(txn) + "." + stream->name;
  if (BAY_HAS(host, bay_host, claim)) {
    const bay_status status = host->claim(call, text(target));
    if (status != BAY_OK) return status;
  }
  *out = new bay_writer{object->folder, copy(txn), stream->name};
  return BAY_OK;
}
bay_status write(bay_call*, bay_writer* writer, ArrowArray* moved) {
  writer->rows += moved->length;
  moved->release(moved);
  return BAY_OK;
}
bay_status prepare(bay_call* call, bay_writer* writer, int64_t* rows_accepted) {
  bay_epoch epoch{};
  const bay_status status = epoch_of(call, epoch);
  if (status != BAY_OK) return status;
  const std::string name = writer->txn + "." + writer->stream;
  std::ofstream out(writer->folder + "/." + name);
  out << writer->rows << (epoch.flags & BAY_EPOCH_COMPLETE ? " all\n" : "\n") << std::flush;
  if (!out) return fail(call, BAY_E_UNAVAILABLE, "folder: cannot be written");
  *rows_accepted = writer->rows;
  return host->put(call, {reinterpret_cast<const uint8_t*>(name.data()), name.size()});
}
void close_writer(bay_writer* writer) { delete writer; }

bool is_aborted(const bay_object* object, const std::string& txn) {
  return fs::exists(object->folder + "/.aborted." + txn);
}

bay_status commit(bay_call* call, bay_object* object, bay_str txn, uint64_t,
                  const bay_bytes* tokens, size_t n) {
  bay_epoch epoch{};
  const bay_status status = epoch_of(call, epoch);
  if (status != BAY_OK) return status;
  if (object->refuses) return fail(call, BAY_E_REMOTE, "folder: takes no more");
  if (is_aborted(object, copy(txn))) return fail(call, BAY_E_NOT_FOUND, "folder: was aborted");
  for (size_t i = 0; i < n; ++i) {
    const std::string name = copy(tokens[i]);
    std::error_code gone;
    fs::rename(object->folder + "/." + name, object->folder + "/" + name, gone);
    if (gone && !fs::exists(object->folder + "/" + name))
      return fail(call, BAY_E_NOT_FOUND, "folder: what was prepared is gone");
  }
  std::ofstream(object->folder + "/.newest") << epoch.number << "\n";
  return BAY_OK;
}

bay_status abort_all(bay_call*, bay_object* object, const bay_str* txns, size_t n) {
  std::error_code ignored;  // what is not there needs no abort
  for (size_t i = 0; i < n; ++i) {
    std::ofstream(object->folder + "/.aborted." + copy(txns[i]));
    for (const auto& entry : fs::directory_iterator(object->folder, ignored)) {
      if (entry.path().filename().string().starts_with("." + copy(txns[i]) + "."))
        fs::remove(entry.path(), ignored);
    }
  }
  return BAY_OK;
}

bay_status outcome(bay_call*, bay_object* object, bay_str txn, const bay_bytes* tokens, size_t n,
                   int32_t* out) {
  *out = BAY_OUTCOME_COMMITTED;
  for (size_t i = 0; i < n; ++i) {
    if (fs::exists(object->folder + "/" + copy(tokens[i]))) continue;
    const bool there = fs::exists(object->folder + "/." + copy(tokens[i]));
    *out = there && !is_aborted(object, copy(txn)) ? BAY_OUTCOME_PREPARED : BAY_OUTCOME_GONE;
  }
  return BAY_OK;
}

bay_status newest(bay_call*, bay_object* object, uint64_t* number) {
  std::ifstream(object->folder + "/.newest") >> *number;
  return BAY_OK;
}

const bay_component_vt common{sizeof(bay_component_vt), 0, create, destroy, nullptr, nullptr};
const bay_sink_vt sink{sizeof(bay_sink_vt), 0,      nullptr,   nullptr, open_writer, write, prepare,
                       close_writer,        commit, abort_all, outcome, newest};
const bay_component tally{sizeof(bay_component),
                          BAY_SINK,
                          {"frozen_rc2_cpp", 14},
                          &common,
                          nullptr,
                          nullptr,
                          nullptr,
                          &sink};
const bay_component* const components[] = {&tally};
const bay_plugin plugin{sizeof(bay_plugin), BAY_ABI_MINOR, {"frozen_rc2_cpp", 14},
                        {"1.0.0", 5},       components,    1};

}  // namespace

const bay_plugin* patchbay_plugin_v1(const bay_host* of) {
  host = of;
  return &plugin;
}
