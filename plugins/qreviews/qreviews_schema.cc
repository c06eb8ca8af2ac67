#include "qreviews_schema.h"

namespace patchbay {
namespace {

Field text(const char* name) { return {name, scalar(TypeId::kUtf8), true}; }
Field number(const char* name) { return {name, scalar(TypeId::kInt64), true}; }
Field time(const char* name) { return {name, timestamp("UTC"), true}; }

Type interaction() {
  std::vector<Field> fields{number("id"),
                            text("interaction_id"),
                            text("interaction_type"),
                            text("location_code"),
                            time("start_timestamp"),
                            time("end_timestamp"),
                            text("interaction_disposition")};
  for (int i = 1; i <= 16; ++i) {
    fields.push_back(
        text(((i < 10 ? "custom_data_0" : "custom_data_") + std::to_string(i)).c_str()));
  }
  return struct_of(std::move(fields));
}

Type recipient() {
  return struct_of({number("id"), text("uid"), text("first_name"), text("middle_name"),
                    text("last_name"), Field{"date_of_birth", scalar(TypeId::kDate32), true},
                    text("gender"), text("phone1"), text("phone2"), text("phone3"), text("phone4"),
                    text("preferred_language"), text("zipcode")});
}

Type interactor() {
  return struct_of({text("client_interactor_id"), text("first_name"), text("middle_name"),
                    text("last_name"), number("id"), text("uid")});
}

}  // namespace

Schema qreviews_schema() {
  Schema schema{"responses", {}, {"id", "sequence"}};
  schema.fields = {number("id"),
                   number("sequence"),
                   time("created"),
                   time("modified"),
                   time("communication_sent"),
                   time("survey_opened"),
                   time("survey_submitted"),
                   number("survey_response_id"),
                   text("survey_language"),
                   Field{"via_sms", scalar(TypeId::kBool), true},
                   number("score"),
                   text("nps_score"),
                   text("text_answer"),
                   text("choice"),
                   Field{"choices", list_of(scalar(TypeId::kUtf8)), true},
                   Field{"insurers", list_of(scalar(TypeId::kUtf8)), true},
                   Field{"department", struct_of({number("id"), text("name")}), true},
                   Field{"survey", struct_of({number("id"), text("name")}), true},
                   Field{"question", struct_of({number("id"), text("text"), text("type")}), true},
                   Field{"interaction", interaction(), true},
                   Field{"interactors", list_of(interactor()), true},
                   Field{"recipient", recipient(), true}};
  return schema;
}

}  // namespace patchbay
