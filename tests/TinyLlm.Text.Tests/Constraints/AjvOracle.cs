using System.Text.Json;
using System.Text.Json.Nodes;
using TinyLlm.Text.Tests.Oracles;

namespace TinyLlm.Text.Tests.Constraints;

/// <summary>Ajv's opinion of documents: a validator that shares nothing with the constraints.</summary>
internal static class AjvOracle
{
    /// <summary>Fails the test at the first document that its schema refuses.</summary>
    public static void RequireValid(List<(JsonNode Schema, List<string> Documents)> cases)
    {
        JsonElement answers = NodeOracle.Ask("validate.mjs", new { cases = cases.Select(item => new { schema = item.Schema, documents = item.Documents }) });
        for (int i = 0; i < cases.Count; i++)
        {
            bool[] verdicts = [.. answers[i].EnumerateArray().Select(answer => answer.GetBoolean())];
            Assert.Equal(cases[i].Documents.Count, verdicts.Length);
            int invalid = Array.IndexOf(verdicts, false);
            if (invalid >= 0) Assert.Fail($"invalid for {cases[i].Schema.ToJsonString()}: {cases[i].Documents[invalid]}");
        }
    }
}
