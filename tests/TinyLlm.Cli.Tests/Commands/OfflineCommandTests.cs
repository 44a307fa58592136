using System.Text.Json;
using TinyLlm.Cli.Tests.StandIn;

namespace TinyLlm.Cli.Tests.Commands;

/// <summary>tokenize, detokenize and render: lines in, lines out, and one clear line for whatever is wrong.</summary>
public sealed class OfflineCommandTests
{
    private const string Tokenizer =
        """
        {"added_tokens":[{"id":0,"content":"<s>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}],
        "post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],"pair":[],
        "special_tokens":{"<s>":{"id":"<s>","ids":[0],"tokens":["<s>"]}}},
        "model":{"type":"BPE","vocab":{"<s>":0,"<":1,"s":2,">":3,"a":4,"b":5,"ab":6,"é":7},"merges":["a b"]}}
        """;

    [Theory]
    [InlineData("\"abba\"\n\"é\"\n\"\"\n", "[6,5,4]\n[7]\n[]\n")]
    [InlineData("\"<s>a\"", "[1,2,3,4]\n")]
    [InlineData("\"<s>a\"", "[0,0,4]\n", "--special")]
    public async Task Tokenize_Lines_AreIdsInTheirOrder(string input, string expected, params string[] more)
    {
        using CliRun run = new() { In = new StringReader(input) };
        Assert.Equal(ExitCode.Ok, await run.RunAsync(["tokenize", "--tokenizer", Folder(run), .. more]));
        Assert.Equal(expected, run.Out.Text.ReplaceLineEndings("\n"));
        Assert.Empty(run.Error.Text);
    }

    [Fact]
    public async Task Detokenize_WhatTokenizeWrote_IsTheTextAgain()
    {
        using CliRun run = new() { In = new StringReader("[6,5,4]\n[7]\n[]\n[0,4]\n") };
        Assert.Equal(ExitCode.Ok, await run.RunAsync("detokenize", "--tokenizer", Path.Combine(Folder(run), "tokenizer.json")));
        Assert.Equal(["abba", "é", "", "<s>a"], run.Out.Text.TrimEnd().Split('\n').Select(line => JsonSerializer.Deserialize<string>(line)!.Replace(" ", "", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Tokenize_LineBeforeTheEnd_IsAnsweredAtOnce()
    {
        using System.IO.Pipes.AnonymousPipeServerStream typing = new(System.IO.Pipes.PipeDirection.Out);
        using System.IO.Pipes.AnonymousPipeClientStream typed = new(System.IO.Pipes.PipeDirection.In, typing.ClientSafePipeHandle);
        using StreamWriter writer = new(typing) { AutoFlush = true };
        using CliRun run = new() { In = new StreamReader(typed) };
        Task<int> running = run.RunAsync("tokenize", "--tokenizer", Folder(run));
        writer.WriteLine("\"a\"");
        await run.Out.SeenAsync("[4]");
        Assert.False(running.IsCompleted);
        writer.Dispose();
        Assert.Equal(ExitCode.Ok, await running);
    }

    [Theory]
    [InlineData("tokenize", "\"a\"\nnot json\n", "line 2")]
    [InlineData("tokenize", "\"\\ud800\"", "line 1")] // half a surrogate pair
    [InlineData("tokenize", "[1]", "line 1")]
    [InlineData("tokenize", "null", "line 1")]
    [InlineData("tokenize", "\"a\"\n\n", "line 2")]
    [InlineData("detokenize", "[4]\n[8]\n", "line 2 has the id 8")]
    [InlineData("detokenize", "[-1]", "the id -1")]
    [InlineData("detokenize", "[99999999999]", "line 1")]
    [InlineData("detokenize", "[1.5]", "line 1")]
    [InlineData("detokenize", "\"a\"", "line 1")]
    public async Task Run_BadLine_IsTwoAndOneLineThatNamesIt(string command, string input, string expected)
    {
        using CliRun run = new() { In = new StringReader(input) };
        Assert.Equal(ExitCode.Usage, await run.RunAsync(command, "--tokenizer", Folder(run)));
        AssertOneLine(run, expected);
    }

    [Theory]
    [InlineData("{}", "is no tokenizer")]
    [InlineData("no json", "is no tokenizer")]
    public async Task Run_FileThatIsNoTokenizer_IsTwo(string content, string expected)
    {
        using CliRun run = new();
        string file = Path.Combine(run.NewFolder("bad"), "tokenizer.json");
        File.WriteAllText(file, content);
        Assert.Equal(ExitCode.Usage, await run.RunAsync("tokenize", "--tokenizer", file));
        AssertOneLine(run, expected);
    }

    [Fact]
    public async Task Run_NothingThere_IsTwo()
    {
        using CliRun run = new();
        Assert.Equal(ExitCode.Usage, await run.RunAsync("tokenize", "--tokenizer", Path.Combine(run.NewFolder("empty"), "absent.json")));
        AssertOneLine(run, "there is no file");
        using CliRun second = new();
        Assert.Equal(ExitCode.Usage, await second.RunAsync("detokenize", "--tokenizer", second.NewFolder("empty")));
        AssertOneLine(second, "neither tokenizer.json nor tokenizer.model");
        using CliRun third = new();
        Assert.Equal(ExitCode.Usage, await third.RunAsync("render", "--model", "/no/such/folder"));
        AssertOneLine(third, "there is no folder");
    }

    [Theory]
    [InlineData("{{ bos_token }}{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}>{% endif %}", "<s>[user] hé\n>")]
    [InlineData("{% for t in tools %}{{ t.function.name }}{% endfor %}", "add")]
    [InlineData(null, "hé")] // without a template, the plain one
    public async Task Render_Conversation_IsThePromptAndNothingElse(string? template, string expected)
    {
        using CliRun run = new()
        {
            In = new StringReader(
                """
                {"messages": [{"role": "user", "content": "h\u00e9"}],
                 "tools": [{"function": {"name": "add"}}], "add_generation_prompt": true}
                """),
        };
        Assert.Equal(ExitCode.Ok, await run.RunAsync("render", "--model", Folder(run, template)));
        Assert.Equal(expected, run.Out.Text);
    }

    [Theory]
    [InlineData("{}", "{{ raise_exception('no') }}", "refuses")]
    [InlineData("[]", "x", "object")]
    [InlineData("{", "x", "not JSON")]
    [InlineData("""{"messages": [{"role": "user", "content": "\ud800"}]}""", "{{ messages[0].content }}", "Unicode")]
    [InlineData("{}", "{% if %}", "can't be used")]
    public async Task Render_BadInput_IsTwoAndOneLine(string input, string template, string expected)
    {
        using CliRun run = new() { In = new StringReader(input) };
        Assert.Equal(ExitCode.Usage, await run.RunAsync("render", "--model", Folder(run, template)));
        Assert.Empty(run.Out.Text);
        AssertOneLine(run, expected);
    }

    private static string Folder(CliRun run, string? template = null)
    {
        string folder = run.NewFolder("model");
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), Tokenizer);
        File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), """{"bos_token":"<s>"}""");
        if (template is not null) File.WriteAllText(Path.Combine(folder, "chat_template.jinja"), template);
        return folder;
    }

    private static void AssertOneLine(CliRun run, string expected)
    {
        string line = Assert.Single(run.Error.Text.TrimEnd('\n').Split('\n'));
        Assert.StartsWith("tinyllm: ", line, StringComparison.Ordinal);
        Assert.Contains(expected, line, StringComparison.Ordinal);
    }
}
