using System.Text.Json;

namespace TinyLlm.Engine.Tests;

/// <summary>config.json for the naive decoder: fields with their defaults, null as absent.</summary>
internal sealed class NaiveConfig(JsonElement element)
{
    public int Int(string name, int absent = 0) => Has(name) ? (int)element.GetProperty(name).GetDouble() : absent;

    public double Number(string name, double absent = 0) => Has(name) ? element.GetProperty(name).GetDouble() : absent;

    public bool Flag(string name, bool absent) => Has(name) ? element.GetProperty(name).GetBoolean() : absent;

    public string Text(string name, string absent) => Has(name) ? element.GetProperty(name).GetString()! : absent;

    public double[] Numbers(string name) => [.. element.GetProperty(name).EnumerateArray().Select(item => item.GetDouble())];

    public string[] Texts(string name) => Has(name) ? [.. element.GetProperty(name).EnumerateArray().Select(item => item.GetString()!)] : [];

    public NaiveConfig? Object(string name) => Has(name) ? new NaiveConfig(element.GetProperty(name)) : null;

    public JsonElement Raw(string name) => element.GetProperty(name);

    public bool Has(string name) => element.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null;
}
