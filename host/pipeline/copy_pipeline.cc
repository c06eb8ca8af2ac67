#include "pipeline/copy_pipeline.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "files/local_files.h"
#include "patchbay/error.h"
#include "patchbay/suggest.h"
#include "pipeline/fault.h"
#include "pipeline/passwords.h"
#include "pipeline/uri.h"
#include "report/json_text.h"

namespace patchbay::host {
namespace {

namespace fs = std::filesystem;

struct CopyNode {
  std::string id, use;
  Json::Value with{Json::objectValue};
};

// Something around a file of any format, such as a compression.
struct Wrapper {
  const Manifest* plugin;
  Json::Value options;  // of putting it on; taking it off needs none

  bool operator==(const Wrapper&) const = default;
};

// One side of the copy: where, and which plugins stand between bytes and rows.
struct Side {
  CopyNode node;
  const ComponentManifest* component = nullptr;
  bool objects = false;
  std::string name;               // without query parameters
  std::string table;              // the one, where the URI names it
  std::vector<Wrapper> wrappers;  // the outermost first
  const Manifest* format = nullptr;
  Json::Value format_options{Json::objectValue};
};

std::string filled(std::string text, const Uri& uri, const std::string& whole) {
  const std::pair<std::string_view, const std::string&> parts[] = {
      {"{host}", uri.host}, {"{path}", uri.path}, {"{uri}", whole}};
  for (const auto& [mark, value] : parts) {
    const size_t at = text.find(mark);
    if (at != std::string::npos) text.replace(at, mark.size(), value);
  }
  return text;
}

// Text as the type that the option's schema asks for.
Json::Value as_option(const Json::Value& schema, const std::string& text) {
  const std::string type = schema["type"].isString() ? schema["type"].asString() : "";
  if (schema["secret"].asBool()) {
    Json::Value reference;
    reference["secret"] = text.starts_with("secret:") ? text.substr(7) : text;
    return reference;
  }
  if (type == "array") {
    Json::Value list(Json::arrayValue);
    for (size_t at = 0; at <= text.size();) {
      const size_t end = std::min(text.find(',', at), text.size());
      list.append(text.substr(at, end - at));
      at = end + 1;
    }
    return list;
  }
  if (type == "string") return text;
  try {
    return parse_json_text(text);
  } catch (const Error&) {
    return text;  // the check of the pipeline says what it should be
  }
}

class Copy {
 public:
  Copy(const Catalog& catalog, const CopyRequest& request) : catalog_(catalog), request_(request) {}

  CopyPipeline make() {
    Side from = side(request_.from, Kind::kSource, request_.from_format);
    Side to = side(request_.to, Kind::kSink, request_.to_format);
    name_table(from, to);
    nodes_.push_back(from.node);
    between(from, to);
    nodes_.push_back(to.node);
    apply_settings();
    return {print(), secrets()};
  }

 private:
  const Manifest* usable(const CatalogEntry& entry) const { return entry.manifest.get(); }

  const Manifest* plugin_of_scheme(const std::string& scheme) const {
    std::vector<std::string> known;
    for (const auto& entry : catalog_.entries()) {
      if (!usable(entry)) continue;
      for (const auto& one : entry.manifest->uris["schemes"]) {
        if (one.asString() == scheme) return usable(entry);
        known.push_back(one.asString());
      }
    }
    throw UsageError("copy: no plugin takes " + scheme + ": addresses" +
                     did_you_mean(scheme, known) + " (see `patchbay plugins list`)");
  }

  // The plugin whose ending `name` has, and that has a component `component`; cuts the ending off.
  // `kind`: endings or wrappers.
  const Manifest* plugin_of_ending(const char* kind, std::string& name,
                                   const std::string& component, std::string& ending,
                                   Json::Value& options) const {
    for (const auto& entry : catalog_.entries()) {
      if (!usable(entry)) continue;
      const Json::Value& endings = entry.manifest->uris[kind];
      for (const auto& one : endings.getMemberNames()) {
        if (!name.ends_with(one) || !has_component(*entry.manifest, component)) continue;
        name.resize(name.size() - one.size());
        ending = one;
        options = endings[one];
        return usable(entry);
      }
    }
    return nullptr;
  }

  static bool has_component(const Manifest& manifest, const std::string& name) {
    return std::any_of(manifest.components.begin(), manifest.components.end(),
                       [&](const auto& component) { return component.name == name; });
  }

  static bool is_format(const Manifest& manifest, const std::string& component) {
    return has_component(manifest, component) && !manifest.uris.isMember("wrappers");
  }

  Side side(const std::string& text, Kind kind, const std::string& format) const {
    const Uri uri = parse_uri(text);
    Side out;
    const Manifest* plugin = nullptr;
    if (!uri.scheme.empty()) {
      plugin = plugin_of_scheme(uri.scheme);
    } else {
      std::string name = text, ending;
      Json::Value options;
      // A database is a file, too: its ending tells.
      for (const auto& entry : catalog_.entries()) {
        if (!entry.manifest || !entry.manifest->find(kind, "")) continue;
        plugin = plugin_of_ending("endings", name, entry.id, ending, options);
        if (plugin) break;
      }
      if (!plugin) plugin = plugin_of_scheme("file");
    }
    out.component = plugin->find(kind, "");
    if (!out.component)
      throw UsageError("copy: plugin " + plugin->id + " has no " + std::string(kind_name(kind)) +
                       ", so that " + text + " can't stand there");
    out.node = {kind == Kind::kSource ? "from" : "to", plugin->id, Json::objectValue};
    refuse_passwords(out, uri.base);
    out.objects = plugin->uris["objects"].asBool();
    out.name = uri.path;
    fill_options(*plugin, uri, out);
    if (out.objects) find_format(out, kind, format);
    return out;
  }

  // On a command line everybody sees it, and the pipeline's file would hold it.
  static void refuse_passwords(const Side& side, const std::string& address) {
    if (passwords_in_urls(address).empty()) return;
    const std::string& id = side.node.id;
    const Json::Value& password = side.component->config["properties"]["password"];
    const std::string words = password["description"].asString();
    throw Error(
        Code::kConfig,
        "copy: the address of " + id + " holds a password; take it out" +
            (password["secret"].asBool()
                 ? ", put it into PATCHBAY_SECRET_<NAME> and add --set " + id + ".password=<NAME>" +
                       (words.starts_with("default: ") ? " (" + words + ")" : "")
                 : ": " + side.node.use +
                       " takes none in an address, see `patchbay "
                       "plugins show " +
                       side.node.use + "`"));
  }

  static void fill_options(const Manifest& plugin, const Uri& uri, Side& side) {
    const Json::Value& options = side.component->config["properties"];
    std::string rest, whole = uri.base;
    for (const auto& [name, value] : uri.parameters) {
      if (name == "table" && options.isMember("tables")) {
        side.table = value;
      } else if (options.isMember(name)) {
        side.node.with[name] = as_option(options[name], value);
      } else {
        rest += (rest.empty() ? "?" : "&") + name + "=" + value;
      }
    }
    Json::Value parts = plugin.uris["options"];
    if (!parts.isObject()) parts["path"] = "{path}";
    bool whole_used = false;
    for (const auto& option : parts.getMemberNames()) {
      const std::string part = parts[option].asString();
      whole_used = whole_used || part.find("{uri}") != std::string::npos;
      const std::string value = filled(part, uri, whole + rest);
      if (!value.empty()) side.node.with[option] = value;
    }
    if (!rest.empty() && !whole_used) {
      const std::string name = rest.substr(1, rest.find('=') - 1);
      std::vector<std::string> known = options.getMemberNames();
      if (options.isMember("tables")) known.emplace_back("table");
      throw UsageError("copy: " + plugin.id + " has no option " + name + did_you_mean(name, known));
    }
  }

  // The one stream of the source goes into the table that the sink's URI names.
  void name_table(Side& from, Side& to) const {
    // Of shop.orders the stream is orders: where it goes, the sink says.
    const size_t dot = from.table.rfind('.');
    const bool named = dot != std::string::npos && dot + 1 < from.table.size();
    const std::string stream = named ? from.table.substr(dot + 1) : from.table;
    if (!from.table.empty()) from.node.with["tables"][stream] = from.table;
    if (to.table.empty()) return;
    if (!from.table.empty()) {
      to.node.with["tables"][stream] = to.table;
    } else if (from.component->config["properties"].isMember("stream")) {
      from.node.with["stream"] = to.table;
    } else if (from.node.with.isMember("query")) {
      to.node.with["tables"]["query"] = to.table;
    } else {
      throw UsageError("copy: table=" + to.table +
                       " is for one stream; say which of the source's tables with ?table=");
    }
  }

  void find_format(Side& side, Kind kind, const std::string& format) const {
    const std::string component = kind == Kind::kSource ? "decode" : "encode";
    std::string name = side.name, ending;
    Json::Value options;
    while (const Manifest* found = plugin_of_ending("wrappers", name, component, ending, options)) {
      side.wrappers.push_back({found, options});
    }
    ending.clear();
    side.format = plugin_of_ending("endings", name, component, ending, options);
    if (side.format) side.format_options = options;
    if (format.empty()) return;
    const CatalogEntry* entry = catalog_.find(format);
    if (!entry || !entry->manifest || !is_format(*entry->manifest, component))
      throw UsageError("copy: there is no format " + format +
                       did_you_mean(format, formats(component)));
    side.format = entry->manifest.get();
    if (!ending.empty() && !side.format->uris["endings"].isMember(ending))
      side.format_options = Json::objectValue;
  }

  std::vector<std::string> formats(const std::string& component) const {
    std::vector<std::string> out;
    for (const auto& entry : catalog_.entries()) {
      if (entry.manifest && is_format(*entry.manifest, component)) out.push_back(entry.id);
    }
    return out;
  }

  std::string list_formats(const std::string& component) const {
    std::string out;
    for (const auto& name : formats(component)) out += (out.empty() ? "" : ", ") + name;
    return out;
  }

  // Unwrap, decode, encode, wrap: as much of it as the two sides differ by.
  void between(Side& from, Side& to) {
    const bool folder = to.objects && (to.name.empty() || to.name.ends_with('/'));
    if (folder) choose_format(from, to);
    const bool rows = request_.rows || !from.objects || !to.objects || from.format != to.format ||
                      from.format_options != to.format_options || sets_format();
    const bool rewrap = rows || from.wrappers != to.wrappers;
    if (from.objects && rewrap) unwrap(from);
    if (from.objects && rows) {
      if (!from.format) missing_format("from", request_.from, "decode");
      add("decode", *from.format, "decode", from.format_options);
    }
    if (to.objects && rows) {
      if (!to.format) missing_format("to", request_.to, "encode");
      add("encode", *to.format, "encode", to.format_options);
    }
    if (to.objects && rewrap) wrap(to);
  }

  // A setting of how rows are read or written means that they are.
  bool sets_format() const {
    return std::any_of(request_.settings.begin(), request_.settings.end(), [](const auto& setting) {
      return setting.first.starts_with("decode.") || setting.first.starts_with("encode.");
    });
  }

  void unwrap(const Side& side) {
    for (size_t i = 0; i < side.wrappers.size(); ++i)
      add(numbered("unwrap", i), *side.wrappers[i].plugin, "decode");
  }

  void wrap(const Side& side) {
    const size_t n = side.wrappers.size();
    for (size_t i = 0; i < n; ++i) {
      const Wrapper& wrapper = side.wrappers[n - 1 - i];
      add(numbered("wrap", i), *wrapper.plugin, "encode", wrapper.options);
    }
  }

  static std::string numbered(const char* id, size_t i) {
    return i == 0 ? id : id + std::to_string(i + 1);
  }

  // A folder gets a file per stream, in the form that it came in or in that of --to-format.
  void choose_format(const Side& from, Side& to) const {
    if (!to.format && from.objects) {
      to.format = from.format;
      to.format_options = from.format_options;
      to.wrappers = from.wrappers;
      to.node.with["path"] = to.node.with["path"].asString() + "{key}";
      return;
    }
    if (!to.format) missing_format("to", request_.to, "encode");
    const auto endings = to.format->uris["endings"].getMemberNames();
    to.node.with["path"] =
        to.node.with["path"].asString() + "{stream}" + (endings.empty() ? "" : endings.front());
  }

  [[noreturn]] void missing_format(const std::string& flag, const std::string& name,
                                   const std::string& component) const {
    throw UsageError("copy: the ending of " + name + " tells no format; say which with --" + flag +
                     "-format (" + list_formats(component) + ")");
  }

  void add(const std::string& id, const Manifest& plugin, const std::string& component,
           Json::Value with = Json::objectValue) {
    const ComponentManifest* found = plugin.find(Kind::kTransform, component);
    for (const auto& option : with.getMemberNames()) {
      if (found && !found->config["properties"].isMember(option)) with.removeMember(option);
    }
    nodes_.push_back({id, plugin.id + "." + component, std::move(with)});
  }

  // --set decode.delimiter=; and --set rejects.max=10
  void apply_settings() {
    for (const auto& [name, text] : request_.settings) {
      const size_t dot = name.find('.');
      const std::string first = name.substr(0, dot);
      const auto node = std::find_if(nodes_.begin(), nodes_.end(),
                                     [&](const CopyNode& one) { return one.id == first; });
      if (node == nodes_.end()) {
        Json::Value& place =
            dot == std::string::npos ? top_[first] : top_[first][name.substr(dot + 1)];
        place = as_option(Json::Value(), text);
      } else if (dot == std::string::npos) {
        throw UsageError("--set " + name + ": must be " + first + ".OPTION=VALUE");
      } else {
        node->with[name.substr(dot + 1)] =
            as_option(option_schema(*node, name.substr(dot + 1)), text);
      }
    }
  }

  Json::Value option_schema(const CopyNode& node, const std::string& option) const {
    const ComponentManifest* component = component_of(node);
    return component ? component->config["properties"][option] : Json::Value();
  }

  const ComponentManifest* component_of(const CopyNode& node) const {
    const size_t dot = node.use.find('.');
    const CatalogEntry* entry = catalog_.find(node.use.substr(0, dot));
    for (const auto& component : entry->manifest->components) {
      const bool fits = dot == std::string::npos
                            ? component.kind == (node.id == "from" ? Kind::kSource : Kind::kSink)
                            : component.name == node.use.substr(dot + 1);
      if (fits) return &component;
    }
    return nullptr;
  }

  std::vector<SecretUse> secrets() const {
    std::vector<SecretUse> uses;
    for (const auto& node : nodes_) {
      const ComponentManifest* component = component_of(node);
      if (!component) continue;
      for (auto& use : secret_uses_in(component->config, node.with))
        uses.push_back({node.id + "." + use.option, std::move(use.name)});
    }
    return uses;
  }

  // The state of a copy is its own: the same two ends, seen from the same folder.
  std::string name() const {
    uint64_t hash = 0xcbf29ce484222325;
    for (const char c : working_folder().string() + "\n" + request_.from + "\n" + request_.to)
      hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    std::string out = "copy-";
    for (int i = 0; i < 12; ++i, hash >>= 4) out += "0123456789abcdef"[hash & 15];
    return out;
  }

  std::string print() const {
    std::string out = "name: " + name() + "\n";
    for (const auto& key : top_.getMemberNames())
      out += key + ": " + compact_json(top_[key]) + "\n";
    out += "nodes:\n";
    for (const auto& node : nodes_) {
      out += "  - id: " + node.id + "\n    use: " + node.use + "\n";
      if (!node.with.empty()) out += "    with: " + compact_json(node.with) + "\n";
    }
    return out;
  }

  const Catalog& catalog_;
  const CopyRequest& request_;
  std::vector<CopyNode> nodes_;
  Json::Value top_{Json::objectValue};
};

}  // namespace

CopyPipeline copy_pipeline(const Catalog& catalog, const CopyRequest& request) {
  return Copy(catalog, request).make();
}

}  // namespace patchbay::host
