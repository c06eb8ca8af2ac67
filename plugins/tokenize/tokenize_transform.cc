#include <algorithm>

#include "patchbay/map.h"
#include "patchbay/suggest.h"
#include "tokenizer.h"

namespace patchbay {
namespace {

struct Contains {
  std::string into;
  std::vector<std::string> words;
};

struct TokenizeConfig {
  std::string field;
  std::string into;  // empty = the tokens themselves are not kept
  std::vector<Contains> contains;
  TokenizerConfig tokens;
};

TokenizeConfig parse_config(const Config& config) {
  TokenizeConfig parsed{config.get<std::string>("field"),
                        config.get_or<std::string>("into", ""),
                        {},
                        {config.get<std::string>("pattern"),
                         config.get<bool>("gaps"),
                         config.get<bool>("lowercase"),
                         static_cast<size_t>(config.get<int64_t>("min_length")),
                         {}}};
  const auto words_of = [](const Json::Value& value) {
    std::vector<std::string> words;
    if (value.isString()) words.push_back(value.asString());
    if (value.isArray()) {
      for (const auto& word : value) words.push_back(word.asString());
    }
    return words;
  };
  const Json::Value& stop = config.at("stop_words");
  if (stop.isArray()) parsed.tokens.stop_words = words_of(stop);
  if (stop == "english") parsed.tokens.stop_words = english_stop_words();
  const Json::Value& contains = config.at("contains");
  for (const auto& into :
       contains.isNull() ? std::vector<std::string>{} : contains.getMemberNames()) {
    parsed.contains.push_back({into, words_of(contains[into])});
  }
  Tokenizer tokenizer(parsed.tokens);
  for (const auto& [into, words] : parsed.contains) {
    for (const auto& word : words) {
      if (!tokenizer.can_yield(word)) {
        config_error("contains." + into, "\"" + word +
                                             "\" never is a token: see pattern, lowercase, "
                                             "min_length and stop_words");
      }
    }
  }
  return parsed;
}

class TokenizeMapper final : public Mapper {
 public:
  TokenizeMapper(const TokenizeConfig& config, const SchemaPtr& in)
      : config_(config), tokenizer_(config.tokens) {
    std::vector<std::string> names;
    for (const auto& field : in->fields) names.push_back(field.name);
    field_ = in->index_of(config_.field);
    if (field_ < 0) {
      config_error("field", "stream " + in->name + " has no field " + config_.field +
                                did_you_mean(config_.field, names));
    }
    const Type& type = in->fields[static_cast<size_t>(field_)].type;
    if (type.id != TypeId::kUtf8) {
      config_error("field", config_.field + " is " + type_name(type) + ", not text");
    }
    auto out = std::make_shared<Schema>(*in);
    const auto add = [&](const char* option, const std::string& name, Type added) {
      if (out->index_of(name) >= 0)
        config_error(option, "stream " + in->name + " has a field " + name + " already");
      out->fields.push_back({name, std::move(added), true});
    };
    if (!config_.into.empty()) add("into", config_.into, list_of(scalar(TypeId::kUtf8)));
    for (const auto& contains : config_.contains)
      add("contains", contains.into, scalar(TypeId::kInt32));
    out_ = std::move(out);
  }

  SchemaPtr schema() const override { return out_; }

  Batch map(Call&, Batch batch) override {
    const int64_t rows = batch.rows();
    auto lists = make_builder(list_of(scalar(TypeId::kUtf8)));
    std::vector<Int32Builder> marks(config_.contains.size());
    const auto texts = BatchView(batch).column<Utf8View>(static_cast<size_t>(field_));
    for (int64_t row = 0; row < rows; ++row) {
      if (texts.is_null(row)) {
        lists->append_null();
        for (auto& mark : marks) mark.append_null();
        continue;
      }
      const auto& tokens = tokenizer_.tokens(texts[row]);
      if (!config_.into.empty()) put(builder_as<ListBuilder>(*lists), tokens);
      for (size_t i = 0; i < marks.size(); ++i)
        marks[i].append(any_of(tokens, config_.contains[i]));
    }
    auto columns = split_columns(batch.take());
    const auto keep = [&](ColumnBuilder& column) {
      ArrowArray array = column.finish();
      columns.emplace_back(&array);
    };
    if (!config_.into.empty()) keep(*lists);
    for (auto& mark : marks) keep(mark);
    return Batch(out_, join_columns(std::move(columns), rows));
  }

 private:
  static void put(ListBuilder& list, const std::vector<std::string_view>& tokens) {
    list.append();
    auto& items = list.item<Utf8Builder>();
    for (const auto token : tokens) items.append(token);
  }
  static int any_of(const std::vector<std::string_view>& tokens, const Contains& contains) {
    return std::any_of(contains.words.begin(), contains.words.end(), [&](const std::string& word) {
      return std::find(tokens.begin(), tokens.end(), word) != tokens.end();
    });
  }

  const TokenizeConfig& config_;
  Tokenizer tokenizer_;
  int field_ = -1;
  SchemaPtr out_;
};

class Tokenize final : public Map {
 public:
  Tokenize(Context&, const Config& config) : config_(parse_config(config)) {}
  std::unique_ptr<Mapper> open_stream(Call&, const SchemaPtr& in) override {
    return std::make_unique<TokenizeMapper>(config_, in);
  }

 private:
  const TokenizeConfig config_;
};

}  // namespace
}  // namespace patchbay

PATCHBAY_PLUGIN(patchbay::component<patchbay::Tokenize>("tokenize"))
