using System.Text.Json.Nodes;

namespace TinyLlm.Infra.Tests.Bicep;

/// <summary>One resource of a compiled template.</summary>
/// <param name="Module">The module that makes it.</param>
/// <param name="Symbol">Its name in the Bicep file.</param>
/// <param name="Type">Its ARM type.</param>
/// <param name="Condition">When its module is deployed; null: always.</param>
/// <param name="Json">All of it.</param>
internal sealed record ArmResource(string Module, string Symbol, string Type, string? Condition, JsonObject Json)
{
    public JsonObject Properties => Json["properties"]?.AsObject() ?? [];
}
