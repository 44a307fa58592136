using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using TinyLlm.Grains.Sessions;

namespace TinyLlm.Host.OpenAi;

/// <summary>Reads "logit_bias": an object from token id to a number from -100 to 100, as OpenAI has it.</summary>
internal static class LogitBiasField
{
    private const int MaxBiases = 1024;
    private const double MaxBias = 100;

    public static ImmutableArray<SessionBias> Read(RequestFields fields)
    {
        if (fields.Take("logit_bias") is not { } value || value is { ValueKind: JsonValueKind.Array } && value.GetArrayLength() == 0) return [];
        if (value.ValueKind != JsonValueKind.Object) throw RequestFields.Malformed("logit_bias", "must be an object from token id to bias");
        SortedDictionary<int, double> biases = [];
        foreach (JsonProperty property in value.EnumerateObject())
        {
            if (!int.TryParse(property.Name, NumberStyles.None, CultureInfo.InvariantCulture, out int id)) throw RequestFields.Malformed("logit_bias", "names must be token ids");
            bool inside = property.Value.ValueKind == JsonValueKind.Number && property.Value.TryGetDouble(out double bias) && Math.Abs(bias) <= MaxBias;
            if (!inside) throw RequestFields.Malformed("logit_bias", $"biases must be numbers from -{MaxBias} to {MaxBias}");
            if (!biases.TryAdd(id, property.Value.GetDouble())) throw RequestFields.Malformed("logit_bias", $"names token {id} twice");
            if (biases.Count > MaxBiases) throw RequestFields.Malformed("logit_bias", $"may name at most {MaxBiases} tokens");
        }
        return [.. biases.Select(bias => new SessionBias(bias.Key, bias.Value))];
    }
}
