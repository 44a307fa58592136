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
            for (int k = 0; k < cases[i].Documents.Count; k++)
                Assert.True(answers[i][k].GetBoolean(), $"invalid for {cases[i].Schema.ToJsonString()}: {cases[i].Documents[k]}");
        }
    }
}
