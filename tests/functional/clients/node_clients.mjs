// fhir-kit-client and MedplumClient: each does a day's work of an integrator. Usage: node node_clients.mjs BASE TOKEN GROUP
// Prints one line of JSON for each client: {"client": ..., "steps": [...], "error": ""}.
import assert from "node:assert";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [base, token, group] = process.argv.slice(2);
const mark = Math.random().toString(36).slice(2, 10);
const IDENTIFIERS = "urn:clients:mrn";

async function load(name) {
  // An ES module has no entry for require: its package says where the one for import lies.
  const about = createRequire(path.join(process.cwd(), "package.json"));
  const folder = path.join(process.cwd(), "node_modules", name);
  const { exports: entries } = about(path.join(folder, "package.json"));
  const entry = (entries["."] ?? entries).import;
  return import(pathToFileURL(path.join(folder, entry.default ?? entry)).href);
}

const person = (name) => ({
  resourceType: "Patient",
  identifier: [{ system: IDENTIFIERS, value: `${mark}-${name}` }],
  name: [{ family: `Client${mark}`, given: [name] }],
  gender: "female",
  birthDate: "1957-03-14",
});

const heartRate = (patient, minute, value) => ({
  resourceType: "Observation",
  status: "final",
  code: { coding: [{ system: "http://loinc.org", code: "8867-4" }] },
  subject: { reference: `Patient/${patient}` },
  effectiveDateTime: `2026-05-04T09:${String(minute).padStart(2, "0")}:00Z`,
  valueQuantity: { value, unit: "/min", system: "http://unitsofmeasure.org", code: "/min" },
});

async function fhirKit(step) {
  const { Client } = await load("fhir-kit-client");
  const client = new Client({ baseUrl: base, bearerToken: token });
  assert.equal((await client.capabilityStatement()).fhirVersion, "4.0.1");
  step("capabilityStatement");
  const ends = await client.smartAuthMetadata();
  assert.ok(String(ends.tokenUrl).endsWith("/oauth/token"));
  step("smartAuthMetadata");
  const made = await client.create({ resourceType: "Patient", body: person("kit") });
  const again = await client.create({
    resourceType: "Patient",
    body: person("kit"),
    options: { headers: { "If-None-Exist": `identifier=${IDENTIFIERS}|${mark}-kit` } },
  });
  assert.equal(again.id, made.id);
  step("create", "conditional create");
  const read = await client.read({ resourceType: "Patient", id: made.id });
  await client.update({ resourceType: "Patient", id: made.id, body: { ...read, active: true } });
  const patch = [{ op: "replace", path: "/gender", value: "other" }];
  await client.patch({ resourceType: "Patient", id: made.id, jsonPatch: patch });
  const now = await client.read({ resourceType: "Patient", id: made.id });
  assert.deepEqual([now.active, now.gender, now.meta.versionId], [true, "other", "3"]);
  const before = await client.vread({ resourceType: "Patient", id: made.id, version: "1" });
  assert.equal(before.gender, "female");
  assert.equal((await client.history({ resourceType: "Patient", id: made.id })).total, 3);
  step("read", "update", "patch", "vread", "history");
  const entry = [0, 1, 2, 3, 4].map((n) => ({
    resource: heartRate(made.id, n, 60 + n),
    request: { method: "POST", url: "Observation" },
  }));
  const stored = await client.transaction({ body: { resourceType: "Bundle", type: "transaction", entry } });
  assert.ok(stored.entry.every((one) => one.response.status.startsWith("201")));
  step("transaction");
  let page = await client.search({ resourceType: "Observation", searchParams: { patient: made.id, _count: 2 } });
  const seen = [];
  while (page) {
    seen.push(...page.entry.map((one) => one.resource.valueQuantity.value));
    page = page.link.some((one) => one.relation === "next") ? await client.nextPage({ bundle: page }) : undefined;
  }
  assert.deepEqual(seen.sort(), [60, 61, 62, 63, 64]);
  const posted = await client.search({
    resourceType: "Observation",
    searchParams: { patient: made.id, date: "2026-05-04" },
    options: { postSearch: true },
  });
  assert.equal(posted.entry.length, 5);
  step("search", "nextPage", "search by POST");
  const subject = posted.entry[0].resource.subject.reference;
  assert.equal((await client.resolve({ reference: subject, context: posted.entry[0].resource })).id, made.id);
  const all = await client.operation({ name: "everything", resourceType: "Patient", id: made.id, method: "GET" });
  assert.ok(all.entry.length >= 6);
  step("resolve", "$everything");
  const gone = await client.create({ resourceType: "Patient", body: person("gone") });
  await client.delete({ resourceType: "Patient", id: gone.id });
  await assert.rejects(client.read({ resourceType: "Patient", id: gone.id }), (error) => error.response.status === 410);
  step("delete");
}

async function medplum(step) {
  const { MedplumClient, getReferenceString } = await load("@medplum/core");
  const root = base.replace(/fhir$/, "");
  const client = new MedplumClient({ baseUrl: root, fhirUrlPath: "fhir", tokenUrl: `${root}oauth/token`, fetch, cacheTime: 0 });
  client.setAccessToken(token);
  const made = await client.createResource(person("plum"));
  const same = await client.createResourceIfNoneExist(person("plum"), `identifier=${IDENTIFIERS}|${mark}-plum`);
  assert.equal(same.id, made.id);
  step("createResource", "createResourceIfNoneExist");
  const changed = await client.updateResource({ ...made, active: true });
  assert.equal(changed.active, true);
  const patched = await client.patchResource("Patient", made.id, [{ op: "replace", path: "/gender", value: "male" }]);
  assert.equal(patched.gender, "male");
  const found = await client.upsertResource({ ...person("plum"), active: false }, { identifier: `${IDENTIFIERS}|${mark}-plum` });
  assert.equal(found.id, made.id);
  step("updateResource", "patchResource", "upsertResource");
  const entry = [0, 1, 2, 3, 4].map((n) => ({
    resource: heartRate(made.id, n, 70 + n),
    request: { method: "POST", url: "Observation" },
  }));
  const batch = await client.executeBatch({ resourceType: "Bundle", type: "batch", entry });
  assert.ok(batch.entry.every((one) => one.response.status.startsWith("201")));
  step("executeBatch");
  const seen = [];
  for await (const page of client.searchResourcePages("Observation", { patient: made.id, _count: 2 })) {
    seen.push(...page.map((one) => one.valueQuantity.value));
  }
  assert.deepEqual(seen.sort(), [70, 71, 72, 73, 74]);
  assert.equal((await client.searchOne("Patient", { identifier: `${IDENTIFIERS}|${mark}-plum` })).id, made.id);
  assert.equal((await client.search("Patient", `identifier=${IDENTIFIERS}|${mark}-plum`)).entry.length, 1);
  step("searchResourcePages", "searchOne", "search");
  const first = (await client.searchResources("Observation", { patient: made.id }))[0];
  assert.equal(getReferenceString(await client.readReference(first.subject)), `Patient/${made.id}`);
  assert.ok((await client.readHistory("Patient", made.id)).entry.length >= 3);
  assert.equal((await client.readVersion("Patient", made.id, "1")).gender, "female");
  assert.ok((await client.readPatientEverything(made.id)).entry.length >= 6);
  step("readReference", "readHistory", "readVersion", "readPatientEverything");
  await client.validateResource(person("valid"));
  await assert.rejects(client.createResource({ resourceType: "Patient", gender: "no such" }));
  step("validateResource", "a refusal as OperationOutcomeError");
  const manifest = await client.bulkExport(`Group/${group}`, "Patient,Observation", undefined, { pollStatusOnAccepted: true, pollStatusPeriod: 500 });
  assert.deepEqual([...new Set(manifest.output.map((one) => one.type))].sort(), ["Observation", "Patient"]);
  const lines = (await (await client.download(manifest.output[0].url)).text()).trim().split("\n");
  assert.equal(lines.length, manifest.output[0].count);
  step("bulkExport", "download");
  await client.deleteResource("Observation", first.id);
  step("deleteResource");
}

let failed = 0;
for (const [name, run] of [["fhir-kit-client", fhirKit], ["@medplum/core", medplum]]) {
  const said = { client: name, steps: [], error: "" };
  try {
    await run((...steps) => said.steps.push(...steps));
  } catch (error) {
    failed += 1;
    said.error = `${error.message} ${JSON.stringify(error.response?.data ?? error.outcome ?? "")}`.slice(0, 900);
  }
  console.log(JSON.stringify(said));
}
process.exit(failed ? 1 : 0);
