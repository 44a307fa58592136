using System.Text.Json;
using Microsoft.Extensions.Time.Testing;

namespace TinyLlm.Text.Tests.Chat;

/// <summary>What a foreign template can't do. Each member of <see cref="ChatTemplateError"/> has a case.</summary>
public sealed class ChatTemplateTests
{
    [Theory]
    [InlineData(ChatTemplateError.BadSyntax, "{% if true %}")]
    [InlineData(ChatTemplateError.BadSyntax, "{{ 1 +")]
    [InlineData(ChatTemplateError.BadSyntax, "{{ 'open }}")]
    [InlineData(ChatTemplateError.BadSyntax, "{% include 'other' %}")]
    [InlineData(ChatTemplateError.BadSyntax, "{% import 'os' as os %}")]
    [InlineData(ChatTemplateError.BadSyntax, "{{ x | attr('y') }}")]
    [InlineData(ChatTemplateError.BadSyntax, "{{ x is unheardof }}")]
    [InlineData(ChatTemplateError.BadOperation, "{{ missing.member }}")]
    [InlineData(ChatTemplateError.BadOperation, "{{ ''.__class__.__mro__ }}")]
    [InlineData(ChatTemplateError.BadOperation, "{{ 'x'() }}")]
    [InlineData(ChatTemplateError.BadOperation, "{{ 1 // 0 }}")]
    [InlineData(ChatTemplateError.BadOperation, "{{ [1] + 1 }}")]
    [InlineData(ChatTemplateError.BadOperation, "{% set messages.x = 1 %}")]
    [InlineData(ChatTemplateError.Refused, "{{ raise_exception('no\nthanks') }}")]
    [InlineData(ChatTemplateError.TooManySteps, "{% for i in range(1000) %}{% for j in range(1000) %}{% endfor %}{% endfor %}")]
    [InlineData(ChatTemplateError.TooManySteps, "{{ range(1000000000) | length }}")]
    [InlineData(ChatTemplateError.TooManySteps, "{% set ns = namespace(l=[1]) %}{% for i in range(60) %}{% set ns.l = ns.l + ns.l %}{% endfor %}")]
    [InlineData(ChatTemplateError.OutputTooLarge, "{% set ns = namespace(s='abcdefgh') %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}")]
    [InlineData(ChatTemplateError.OutputTooLarge, "{{ 'x' * 1000000000 }}")]
    [InlineData(ChatTemplateError.OutputTooLarge, "{{ 'x' | indent(2000000000, true) }}")]
    [InlineData(ChatTemplateError.OutputTooLarge, "{{ [[[1]]] | tojson(indent=100000000) }}")]
    [InlineData(ChatTemplateError.OutputTooLarge, "{% for i in range(3000) %}0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890{% endfor %}")]
    [InlineData(ChatTemplateError.TooDeep, "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}")]
    public void Render_HostileTemplate_IsStopped(ChatTemplateError expected, string source)
    {
        ChatTemplateException e = Assert.Throws<ChatTemplateException>(() => ChatTemplate.Load([], source, new FakeTimeProvider())!.Render([new("user", "hi")], addGenerationPrompt: true));

        Assert.Equal(expected, e.Error);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Fact]
    public void Render_ClockRunsAway_IsStopped()
    {
        // The clock is asked every few thousand steps, so only a template that takes many can meet the backstop.
        FakeTimeProvider time = new() { AutoAdvanceAmount = TimeSpan.FromMilliseconds(101) };
        ChatTemplate busy = ChatTemplate.Load([], "{% for i in range(4000) %}{% endfor %}", time)!;

        Assert.Equal(ChatTemplateError.TooSlow, Assert.Throws<ChatTemplateException>(() => busy.Render([], addGenerationPrompt: false)).Error);
        Assert.Equal("hi", ChatTemplate.Load([], "hi", time)!.Render([], addGenerationPrompt: false));
    }

    [Fact]
    public void Render_StrftimeNow_WritesTheClocksDate()
    {
        FakeTimeProvider time = new(new DateTimeOffset(2024, 7, 6, 5, 4, 3, TimeSpan.Zero));

        Assert.Equal("06 Jul 2024 %", ChatTemplate.Load([], "{{ strftime_now('%d %b %Y %%') }}", time)!.Render([], addGenerationPrompt: false));
    }

    [Theory]
    [InlineData("(", ")")]
    [InlineData("[", "]")]
    [InlineData("-", "")]
    [InlineData("x[", "]")]
    [InlineData("f(", ")")]
    [InlineData("{'k':", "}")]
    public void Load_DeepExpression_IsRefused(string open, string close)
    {
        string deep = string.Concat(Enumerable.Repeat(open, 5_000)) + "1" + string.Concat(Enumerable.Repeat(close, 5_000));

        Assert.Equal(ChatTemplateError.TooDeep, Assert.Throws<ChatTemplateException>(() => ChatTemplate.Load([], "{{ " + deep + " }}")).Error);
    }

    [Fact]
    public void Load_DeepBlocks_IsRefused()
    {
        string deep = string.Concat(Enumerable.Repeat("{% if 1 %}", 3_000));

        Assert.Equal(ChatTemplateError.TooDeep, Assert.Throws<ChatTemplateException>(() => ChatTemplate.Load([], deep)).Error);
    }

    [Fact]
    public void Load_LongChains_DoNotNest()
    {
        string sum = string.Join(" + ", Enumerable.Repeat("1", 5_000));
        string branches = "{% if false %}" + string.Concat(Enumerable.Repeat("{% elif false %}", 1_000)) + "{% else %}end{% endif %}";

        Assert.Equal("5000 end", ChatTemplate.Load([], "{{ " + sum + " }} " + branches)!.Render([], addGenerationPrompt: false));
    }

    [Fact]
    public void Load_SourceBeyondTheBound_IsRefused() =>
        Assert.Equal(ChatTemplateError.SourceTooLarge, Assert.Throws<ChatTemplateException>(() => ChatTemplate.Load([], new string('x', 65_537))).Error);

    [Fact]
    public void Render_ContentThatLooksLikeATemplate_StaysText() =>
        Assert.Equal("{{ 7 * 7 }}", ChatTemplate.Load([], "{{ messages[0].content }}")!.Render([new("user", "{{ 7 * 7 }}")], addGenerationPrompt: true));

    [Fact]
    public void Render_TemplateOfConfig_GetsItsTokens()
    {
        byte[] config = """{"bos_token": {"content": "<s>"}, "eos_token": "</s>", "chat_template": "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}"}"""u8.ToArray();

        Assert.Equal("<s>hi</s>", ChatTemplate.Load(config, null)!.Render([new("user", "hi")], addGenerationPrompt: false));
        Assert.Equal("own", ChatTemplate.Load(config, "own")!.Render([new("user", "hi")], addGenerationPrompt: false));
    }

    [Fact]
    public void Load_SeveralTemplates_TakesTheDefault()
    {
        byte[] config = """{"chat_template": [{"name": "tool_use", "template": "t"}, {"name": "default", "template": "d"}]}"""u8.ToArray();

        Assert.Equal("d", ChatTemplate.Load(config, null)!.Render([], addGenerationPrompt: false));
    }

    [Fact]
    public void Render_Variables_OverrideTokensAndReachTheTemplate()
    {
        ChatTemplate template = ChatTemplate.Load("""{"bos_token": "<s>"}"""u8, "{{ bos_token }}{{ tools[0].name }}")!;

        Assert.Equal("[B]add", template.Render(JsonSerializer.Deserialize<JsonElement>("""{"bos_token": "[B]", "tools": [{"name": "add"}]}""")));
    }

    [Fact]
    public void Render_SetInALoop_DoesNotOutliveTheRound() =>
        Assert.Equal("-1-2", ChatTemplate.Load([], "{% for i in [1, 2] %}{{ x }}-{{ i }}{% set x = i %}{% endfor %}")!.Render([], addGenerationPrompt: false));

    [Fact]
    public void Render_StripWithCharacters_TakesThoseOnly() =>
        Assert.Equal(" a ", ChatTemplate.Load([], "{{ '\n\n a \n'.strip('\n') }}")!.Render([], addGenerationPrompt: false));
}
