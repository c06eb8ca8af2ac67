// A transform and a sink in C++, from the frozen header alone.
#include <patchbay/abi.h>
#include <poll.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

BAY_PLUGIN_NOTE("frozen_cpp", "1.0.0", 0);

struct bay_object {
  std::string folder;
};
struct bay_reader {
  bay_input* input;
};
struct bay_writer {
  std::string path;
  int64_t rows = 0;
};

namespace {

namespace fs = std::filesystem;

const bay_host* host;

bay_str text(const std::string& value) { return {value.data(), value.size()}; }
std::string copy(bay_str value) { return {value.data, value.size}; }

bay_status fail(bay_call* call, bay_status status, const std::string& message) {
  host->fail(call, status, text(message), {nullptr, 0});
  return status;
}

// The folder is the only option that there is.
bay_status create(bay_call* call, bay_context*, bay_str config, bay_object** out) {
  const std::string json = copy(config);
  if (json.size() < 2 || json.front() != '{' || json.back() != '}')
    return fail(call, BAY_E_CONFIG, "configuration: must be an object");
  const size_t at = json.find("\"folder\":\"");
  const size_t begin = at == std::string::npos ? at : at + sizeof "\"folder\":\"" - 1;
  *out = new bay_object{
      at == std::string::npos ? "" : json.substr(begin, json.find('"', begin) - begin)};
  return BAY_OK;
}

bay_status create_sink(bay_call* call, bay_context* context, bay_str config, bay_object** out) {
  const bay_status status = create(call, context, config, out);
  if (status != BAY_OK || !(*out)->folder.empty()) return status;
  delete *out;
  *out = nullptr;
  return fail(call, BAY_E_CONFIG, "folder: missing");
}

void destroy(bay_object* object) { delete object; }

bay_status open_inputs(bay_call*, bay_object*, bay_input* const* in, uint32_t, bay_reader** out) {
  *out = new bay_reader{in[0]};
  return BAY_OK;
}
bay_status next(bay_call* call, bay_reader* reader, bay_event* out) {
  return host->input_next(call, reader->input, out);
}
void close_reader(bay_reader* reader) { delete reader; }

bay_status open_writer(bay_call*, bay_object* object, const ArrowSchema* stream, bay_str txn,
                       bay_writer** out) {
  *out = new bay_writer{object->folder + "/." + copy(txn) + "." + stream->name};
  return BAY_OK;
}
bay_status write(bay_call* call, bay_writer* writer, ArrowArray* moved) {
  writer->rows += moved->length;
  moved->release(moved);
  pollfd cancelled{host->cancel_fd(call), POLLIN, 0};
  return poll(&cancelled, 1, 0) > 0 ? fail(call, BAY_E_CANCELLED, "cancelled") : BAY_OK;
}
bay_status prepare(bay_call* call, bay_writer* writer, int64_t* rows_accepted) {
  std::ofstream out(writer->path);
  out << writer->rows << "\n" << std::flush;
  if (!out) return fail(call, BAY_E_UNAVAILABLE, "folder: cannot be written");
  *rows_accepted = writer->rows;
  const std::string name = fs::path(writer->path).filename().string().substr(1);
  return host->put(call, {reinterpret_cast<const uint8_t*>(name.data()), name.size()});
}
void close_writer(bay_writer* writer) { delete writer; }

bay_status commit(bay_call* call, bay_object* object, bay_str, uint64_t, const bay_bytes* tokens,
                  size_t n) {
  for (size_t i = 0; i < n; ++i) {
    const std::string name(reinterpret_cast<const char*>(tokens[i].data), tokens[i].size);
    std::error_code gone;
    fs::rename(object->folder + "/." + name, object->folder + "/" + name, gone);
    if (gone && !fs::exists(object->folder + "/" + name))
      return fail(call, BAY_E_NOT_FOUND, "folder: what was prepared is gone");
  }
  return BAY_OK;
}
bay_status abort_all(bay_call*, bay_object* object, const bay_str* txns, size_t n) {
  std::error_code ignored;  // what is not there needs no abort
  for (const auto& entry : fs::directory_iterator(object->folder, ignored)) {
    for (size_t i = 0; i < n; ++i) {
      if (entry.path().filename().string().starts_with("." + copy(txns[i]) + "."))
        fs::remove(entry.path(), ignored);
    }
  }
  return BAY_OK;
}

const bay_component_vt transform_common{
    sizeof(bay_component_vt), 0, create, destroy, nullptr, nullptr};
const bay_component_vt sink_common{
    sizeof(bay_component_vt), 0, create_sink, destroy, nullptr, nullptr};
const bay_reader_vt reader{sizeof(bay_reader_vt), 0, next, nullptr, nullptr, close_reader};
const bay_transform_vt transform{sizeof(bay_transform_vt), 0, nullptr, open_inputs};
const bay_sink_vt sink{sizeof(bay_sink_vt), 0,      nullptr,  nullptr, open_writer, write, prepare,
                       close_writer,        commit, abort_all};
const bay_component pass{sizeof(bay_component),
                         BAY_TRANSFORM,
                         {"pass", 4},
                         &transform_common,
                         &reader,
                         nullptr,
                         &transform,
                         nullptr};
const bay_component tally{
    sizeof(bay_component), BAY_SINK, {"tally", 5}, &sink_common, nullptr, nullptr, nullptr, &sink};
const bay_component* const components[] = {&pass, &tally};
const bay_plugin plugin{sizeof(bay_plugin), BAY_ABI_MINOR, {"frozen_cpp", 10},
                        {"1.0.0", 5},       components,    2};

}  // namespace

const bay_plugin* patchbay_plugin_v1(const bay_host* of) {
  host = of;
  return &plugin;
}
