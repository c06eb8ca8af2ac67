// The C side of the classes in plugin.h: the only place where exceptions become statuses. Included
// by plugin.h.
#pragma once

#include <string>
#include <utility>

namespace patchbay::boundary {

// The tables for each kind; the functions are in boundary.cc and work on the base classes.
extern const bay_reader_vt kReaderTable;
extern const bay_source_vt kSourceTable;
extern const bay_transform_vt kTransformTable;
extern const bay_sink_vt kSinkTable;

const bay_host* host();
void set_host(const bay_host* host);

// Runs `work`; an exception becomes host->fail and its status.
template <class Work>
bay_status guarded(bay_call* call, Work&& work) noexcept;
bay_status fail_with_current_exception(bay_call* call) noexcept;

// Wraps a Component so that its Context lives beside it.
struct Object {
  Context context;
  std::unique_ptr<Component> component;
};

using Construct = std::unique_ptr<Component> (*)(Context&, const Config&);
bay_status create(bay_call* call, bay_context* context, bay_str config_json, bay_object** out,
                  Construct construct) noexcept;
void destroy(bay_object* object) noexcept;
void interrupt(bay_object* object) noexcept;
bay_status check(bay_call* call, bay_object* object) noexcept;

template <class Work>
bay_status guarded(bay_call* call, Work&& work) noexcept {
  try {
    return std::forward<Work>(work)();
  } catch (...) {
    return fail_with_current_exception(call);
  }
}

template <class T>
bay_status create_as(bay_call* call, bay_context* context, bay_str config_json, bay_object** out) {
  return create(call, context, config_json, out,
                [](Context& c, const Config& config) -> std::unique_ptr<Component> {
                  return std::make_unique<T>(c, config);
                });
}

template <class T>
inline const bay_component_vt kComponentTable{
    sizeof(bay_component_vt), 0, &create_as<T>, &destroy, &interrupt, &check};

}  // namespace patchbay::boundary

namespace patchbay {

template <class T>
const bay_component* component(const char* name) {
  constexpr bool kIsSource = std::is_base_of_v<Source, T>;
  constexpr bool kIsTransform = std::is_base_of_v<Transform, T>;
  constexpr bool kIsSink = std::is_base_of_v<Sink, T>;
  static_assert(kIsSource + kIsTransform + kIsSink == 1,
                "derive from one of Source, Transform, Sink");
  static const bay_component table{sizeof(bay_component),
                                   kIsSource      ? BAY_SOURCE
                                   : kIsTransform ? BAY_TRANSFORM
                                                  : BAY_SINK,
                                   {name, std::char_traits<char>::length(name)},
                                   &boundary::kComponentTable<T>,
                                   kIsSink ? nullptr : &boundary::kReaderTable,
                                   kIsSource ? &boundary::kSourceTable : nullptr,
                                   kIsTransform ? &boundary::kTransformTable : nullptr,
                                   kIsSink ? &boundary::kSinkTable : nullptr};
  return &table;
}

}  // namespace patchbay
