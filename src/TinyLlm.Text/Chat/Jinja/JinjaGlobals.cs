using System.Globalization;
using System.Text;

namespace TinyLlm.Text.Jinja;

/// <summary>The functions that transformers gives a chat template.</summary>
internal static class JinjaGlobals
{
    public static void AddTo(JinjaScope scope, JinjaContext context)
    {
        Add("raise_exception", arguments => throw new ChatTemplateException(ChatTemplateError.Refused,
            $"the chat template refuses the conversation: {TokenizerFormatException.Quote(arguments.Positional.Count > 0 ? context.Text.Of(arguments.Positional[0]) : "")}"));
        Add("namespace", arguments => new JinjaValue.Namespace(new OrderedDictionary<string, JinjaValue>(
            arguments.Positional is [JinjaValue.Map start] ? start.Items.Concat(arguments.Named) : arguments.Named)));
        Add("dict", arguments => new JinjaValue.Map(new OrderedDictionary<string, JinjaValue>(arguments.Named)));
        Add("range", arguments => Range(context, arguments));
        Add("strftime_now", arguments => context.NewText(Format(context.Time.GetLocalNow(), arguments.Text(0, "format"))));

        void Add(string name, Func<JinjaArguments, JinjaValue> body) => scope.Set(name, new JinjaValue.Function(name, body));
    }

    private static JinjaValue.List Range(JinjaContext context, JinjaArguments arguments)
    {
        bool startGiven = arguments.Positional.Count > 1;
        long start = startGiven ? arguments.Integer(0, "start") ?? 0 : 0;
        long stop = arguments.Integer(startGiven ? 1 : 0, "stop") ?? throw JinjaContext.Bad("range needs an end");
        long step = arguments.Integer(2, "step") ?? 1;
        if (step == 0) throw JinjaContext.Bad("the step of range is 0");
        long count = Math.Max(0, step > 0 ? (stop - start + step - 1) / step : (start - stop - step - 1) / -step);
        context.Budget.Items(count * JinjaLimits.ItemsPerStep);
        return new JinjaValue.List([.. Enumerable.Range(0, (int)count).Select(i => JinjaValue.Of(start + (i * step)))]);
    }

    /// <summary>Python's strftime, in English, for the directives that dates in prompts use.</summary>
    private static string Format(DateTimeOffset now, string format)
    {
        StringBuilder result = new();
        for (int at = 0; at < format.Length; at++)
        {
            if (format[at] != '%' || at + 1 == format.Length)
            {
                result.Append(format[at]);
                continue;
            }
            string? directive = format[++at] switch
            {
                'Y' => "yyyy",
                'y' => "yy",
                'm' => "MM",
                'd' => "dd",
                'b' => "MMM",
                'B' => "MMMM",
                'a' => "ddd",
                'A' => "dddd",
                'H' => "HH",
                'I' => "hh",
                'M' => "mm",
                'S' => "ss",
                'p' => "tt",
                _ => null,
            };
            if (directive is not null) result.Append(now.ToString(directive, CultureInfo.InvariantCulture));
            else if (format[at] == '%') result.Append('%');
            else if (format[at] == 'j') result.Append(CultureInfo.InvariantCulture, $"{now.DayOfYear:000}");
            else throw JinjaContext.Bad($"strftime_now does not know {TokenizerFormatException.Quote(format.Substring(at - 1, 2))}");
        }
        return result.ToString();
    }
}
