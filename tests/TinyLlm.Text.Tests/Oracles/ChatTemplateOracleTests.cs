using System.Text.Json;
using System.Text.Json.Nodes;
using TinyLlm.Tests;

namespace TinyLlm.Text.Tests.Oracles;

/// <summary>Prompts compared byte for byte with npm @huggingface/jinja at test time.</summary>
public sealed class ChatTemplateOracleTests
{
    private static readonly string[] Contents =
        ["Hi", "  spaced \n", "", "line one\nline two", "\"quotes\" & <tags> \\ / \u00e9 \U0001F600 \u2028", "{{ not.a.tag }} {% nor this %}", "<think>\nwhy\n</think>\nbecause"];

    [Theory]
    [InlineData("Qwen-Qwen2.5-7B-Instruct", 300)]
    [InlineData("google-gemma-2-2b-it", 110)] // it refuses system messages and roles that do not alternate
    [InlineData("meta-llama-Llama-3.2-3B-Instruct", 300)]
    [InlineData("microsoft-Phi-3.5-mini-instruct", 300)]
    public void Render_GeneratedConversations_EqualNpm(string name, int least)
    {
        string template = File.ReadAllText(TestData.Require($"templates/{name}.jinja"));
        JsonObject[] conversations = [.. Enumerable.Range(0, 300).Select(seed => Conversation(new Random(seed)))];
        int rendered = CompareAll([.. conversations.Select(variables => (template, variables))]);
        Assert.True(rendered >= least, $"only {rendered} of the conversations were accepted");
    }

    [Fact]
    public void Render_ConfiguredTemplates_EqualNpm()
    {
        foreach (string folder in new[] { "tokenizers/phi-3-mini", "tokenizers/qwen3" })
        {
            using JsonDocument config = JsonDocument.Parse(File.ReadAllBytes(TestData.Require(folder + "/tokenizer_config.json")));
            string template = config.RootElement.GetProperty("chat_template").GetString()!;
            // The package's strip, lstrip and rstrip take no characters; Python's, which these templates were written for, do. So no blanks at the ends here.
            CompareAll([.. Enumerable.Range(0, 100).Select(seed => (template, Conversation(new Random(seed), [.. Contents.Select(content => content.Trim())])))]);
        }
    }

    [Theory]
    [InlineData("{% for i in range(3) %}{{ i }}{{ ',' if not loop.last }}{% endfor %}")]
    [InlineData("{% for i in [3,1,2] | sort(reverse=true) %}{{ loop.index }}:{{ i }} {{ loop.revindex0 }} {% else %}none{% endfor %}")]
    [InlineData("{% for m in messages if m.role == 'user' %}{{ m.content }}|{% else %}nobody{% endfor %}")]
    [InlineData("{% set ns = namespace(n=0, s='') %}{% for m in messages %}{% set ns.n = ns.n + m.content | length %}{% endfor %}{{ ns.n > 0 }}")]
    [InlineData("{% macro greet(name, mark='!') %}Hello {{ name }}{{ mark }}{% endmacro %}{{ greet('A') }} {{ greet('B', mark='?') }}")]
    [InlineData("{% macro wrap() %}[{{ caller() }}]{% endmacro %}{% call wrap() %}inner{% endcall %}")]
    [InlineData("{% filter upper %}shout {{ 1 + 1 }}{% endfilter %}")]
    [InlineData("{% set x %}block {{ 2 * 3 }}{% endset %}{{ x | trim }}")]
    [InlineData("{{ messages[0].content[1:3] }} {{ messages[-1:] | length }} {{ 'abcdef'[::-1] }} {{ [1,2,3,4][::2] | join('-') }}")]
    [InlineData("{{ {'a': [1, 2.5, none, true], 'b': {'c': 'x\\ny'}} | tojson }}")]
    [InlineData("{{ {'b': 1, 'a': [], 'c': {}} | tojson(indent=2) }} {{ {'b': 1, 'a': 'é'} | tojson(sort_keys=true, ensure_ascii=true) }}")]
    [InlineData("{{ 7 // 2 }} {{ 7 / 2 }} {{ 7 % 3 }} {{ 2 ** 10 }} {{ -3 + 1 }} {{ 1.5 * 2 }} {{ 1 ~ 'a' ~ 2.5 }}")]
    [InlineData("{{ 'a' in 'abc' }} {{ 'z' not in ['a'] }} {{ 'role' in messages[0] }} {{ 1 < 2 and not (2 >= 3) }} {{ 'x' if false else 'y' }}")]
    [InlineData("{{ missing is defined }} {{ missing | default('d') }} {{ '' | default('e', true) }} {{ none is none }} {{ 3 is odd }} {{ messages is iterable }}")]
    [InlineData("{{ 'a,b,c'.split(',')[1] }} {{ ' x '.strip() }} {{ 'abc'.replace('b', 'B') }} {{ 'abc'.startswith('ab') }} {{ 'Abc'.upper() }} {{ 'a  b c'.split() | join('|') }}")]
    [InlineData("{% for k, v in {'x': 1, 'y': 2}.items() %}{{ k }}={{ v }};{% endfor %}{{ {'k': 'v'}.get('k') }}{{ {'k': 'v'}.get('n', 'default') }}")]
    [InlineData("{{ messages | selectattr('role', 'equalto', 'user') | map(attribute='content') | list | length }}{{ messages | rejectattr('role', 'equalto', 'user') | list | length }}")]
    [InlineData("{%- if true -%}   a   {%- endif %}  b  {#- gone -#}  c\n{% if true %}\n  d\n  {% endif %}\ne\n")]
    [InlineData("    {% set a = 1 %}\n\t{% set b = 2 %}\n{{ a + b }}\n\n  {# note #}\nend\n\n")]
    [InlineData("{% for i in range(5) %}{% if i == 1 %}{% continue %}{% endif %}{% if i == 3 %}{% break %}{% endif %}{{ i }}{% endfor %}")]
    [InlineData("{% set a, b = 'x', 'y' %}{{ a }}{{ b }} {% generation %}reply{% endgeneration %} {{ 'line\\ntwo' | indent(2) }} {{ ['b','a'] | unique | sort | first }}")]
    [InlineData("{{ 0.1 + 0.2 }} {{ 100000000000000000000.0 if true else 0 }} {{ 0.000001 }} {{ 5 | float }} {{ '12' | int + 1 }} {{ -2.5 | abs }}")]
    public void Render_Snippet_EqualsNpm(string template) => Assert.Equal(1, CompareAll([(template, Conversation(new Random(3)))]));

    /// <summary>Asks both, and says how many they rendered; what one refuses the other must refuse too.</summary>
    private static int CompareAll((string Template, JsonObject Variables)[] cases)
    {
        JsonElement answers = NodeOracle.Ask("render.mjs", new { cases = cases.Select(item => new { template = item.Template, variables = item.Variables }) });
        int rendered = 0;
        for (int i = 0; i < cases.Length; i++)
        {
            (string template, JsonObject variables) = cases[i];
            string? expected = answers[i].TryGetProperty("text", out JsonElement text) ? text.GetString() : null;
            Assert.True(expected == Render(template, variables, out string? error),
                $"{variables.ToJsonString()}\nnpm:  {answers[i]}\nours: {Render(template, variables, out _) ?? error}");
            if (expected is not null) rendered++;
        }
        return rendered;
    }

    private static string? Render(string template, JsonObject variables, out string? error)
    {
        error = null;
        try
        {
            return ChatTemplate.Load([], template)!.Render(JsonSerializer.SerializeToElement(variables));
        }
        catch (ChatTemplateException e)
        {
            error = e.Message;
            return null;
        }
    }

    private static JsonObject Conversation(Random random) => Conversation(random, Contents);

    private static JsonObject Conversation(Random random, string[] contents)
    {
        JsonArray messages = [];
        if (random.Next(3) == 0) messages.Add(Message("system", Pick(random, contents)));
        int turns = random.Next(1, 5);
        for (int turn = 0; turn < turns; turn++)
        {
            messages.Add(Message("user", Pick(random, contents)));
            if (random.Next(4) == 0) AddToolTurn(random, messages, contents);
            if (turn < turns - 1 || random.Next(3) == 0) messages.Add(Message("assistant", Pick(random, contents)));
        }
        JsonObject variables = new()
        {
            ["messages"] = messages,
            ["add_generation_prompt"] = random.Next(2) == 0,
            ["bos_token"] = "<bos>",
            ["eos_token"] = "<eos>",
            ["date_string"] = "26 Jul 2024",
        };
        if (random.Next(3) == 0) variables["tools"] = new JsonArray(Tool("add"), Tool("say"));
        if (random.Next(6) == 0) variables["tools_in_user_message"] = false;
        return variables;
    }

    private static void AddToolTurn(Random random, JsonArray messages, string[] contents)
    {
        JsonObject call = Message("assistant", random.Next(2) == 0 ? "" : Pick(random, contents));
        call["tool_calls"] = new JsonArray(new JsonObject
        {
            ["type"] = "function",
            ["function"] = new JsonObject { ["name"] = "add", ["arguments"] = new JsonObject { ["a"] = 1, ["b"] = -2.5, ["note"] = Pick(random, contents), ["deep"] = new JsonArray(1, "x", null, true) } },
        });
        messages.Add(call);
        messages.Add(Message("tool", random.Next(2) == 0 ? "{\"sum\": 3}" : Pick(random, contents)));
        if (random.Next(3) == 0) messages.Add(Message("tool", "second"));
    }

    private static JsonObject Tool(string name) => new()
    {
        ["type"] = "function",
        ["function"] = new JsonObject
        {
            ["name"] = name,
            ["description"] = "Does \"it\" — quickly.",
            ["parameters"] = new JsonObject { ["type"] = "object", ["properties"] = new JsonObject { ["a"] = new JsonObject { ["type"] = "number" } }, ["required"] = new JsonArray("a") },
        },
    };

    private static JsonObject Message(string role, string content) => new() { ["role"] = role, ["content"] = content };

    private static string Pick(Random random, string[] contents) => contents[random.Next(contents.Length)];
}
