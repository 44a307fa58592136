using System.Text.Json;

namespace TinyLlm.Text.Jinja;

/// <summary>Makes a template's values of JSON. Whole numbers are integers, however they are written.</summary>
internal static class JinjaData
{
    public static JinjaValue From(JsonElement json, int depth = 0)
    {
        if (depth > JinjaLimits.MaxDepth) throw new ChatTemplateException(ChatTemplateError.TooDeep, $"the data nests more than {JinjaLimits.MaxDepth} deep");
        return json.ValueKind switch
        {
            JsonValueKind.Object => new JinjaValue.Map(FromObject(json, depth)),
            JsonValueKind.Array => new JinjaValue.List([.. json.EnumerateArray().Select(item => From(item, depth + 1))]),
            JsonValueKind.String => JinjaValue.Of(Text(json)),
            JsonValueKind.Number => json.GetDouble() is var number && double.IsInteger(number)
                ? new JinjaValue.Number(number, IsFloat: false)
                : new JinjaValue.Number(number, IsFloat: true),
            JsonValueKind.True => JinjaValue.True,
            JsonValueKind.False => JinjaValue.False,
            JsonValueKind.Null => JinjaValue.None,
            _ => JinjaValue.Missing,
        };
    }

    public static OrderedDictionary<string, JinjaValue> FromObject(JsonElement json, int depth = 0)
    {
        OrderedDictionary<string, JinjaValue> items = [];
        foreach (JsonProperty property in json.EnumerateObject()) items[property.Name] = From(property.Value, depth + 1);
        return items;
    }

    private static string Text(JsonElement json)
    {
        try
        {
            return json.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            // A lone surrogate passes the parser and fails here.
            throw new ChatTemplateException(ChatTemplateError.BadOperation, "the data has a string that is not valid Unicode", e);
        }
    }
}
