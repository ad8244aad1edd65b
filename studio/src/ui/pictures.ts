/** The icons that a node type may name; their names are those of Lucide, and stand in the how-to page of node types. */
import {
  Activity, AlarmClock, Archive, ArchiveRestore, ArrowDownAZ, ArrowRightLeft, Bell, Bot, Box, Braces, Bug, Calculator, Calendar, Camera, ChartLine,
  ChartNoAxesColumn, Check, CheckCheck, Clock, Cloud, CloudDownload, CloudUpload, Code, Combine, Contrast, Copy, CopyMinus, Cpu, CreditCard, Crop,
  Database, Droplets, Equal, Eye, File as FileIcon, FileOutput, FileQuestion, FileSearch, FileText, Filter, Fingerprint, Flag, FolderOpen, GitBranch,
  Globe, Group, Heart, Image as ImageIcon, ImagePlus, Inbox, Key, Languages, Layers, Leaf, Link as LinkIcon, List as ListIcon, ListCollapse, Lock,
  Mail, MapPin, MessageCircle, MessageSquareText, Mic, OctagonX, Package, Pencil, Phone, Plug, Printer, Receipt, Replace, RotateCw, Rss, Save,
  Scaling, Scissors, Search, Send, Server, Shield, ShoppingCart, Sigma, Sparkles, Stamp, Star, Table, Tag, Terminal, Thermometer, Timer, Trash, Truck,
  User, Users, Video, Webhook, Wrench, Zap,
  type LucideIcon,
} from "lucide-react";

export const PICTURES: Readonly<Record<string, LucideIcon>> = {
  activity: Activity, "alarm-clock": AlarmClock, archive: Archive, "archive-restore": ArchiveRestore, "arrow-down-a-z": ArrowDownAZ,
  "arrow-right-left": ArrowRightLeft, bell: Bell, bot: Bot, box: Box, braces: Braces, bug: Bug, calculator: Calculator, calendar: Calendar,
  camera: Camera, "chart-line": ChartLine, "chart-no-axes-column": ChartNoAxesColumn, check: Check, "check-check": CheckCheck, clock: Clock,
  cloud: Cloud, "cloud-download": CloudDownload, "cloud-upload": CloudUpload, code: Code, combine: Combine, contrast: Contrast, copy: Copy,
  "copy-minus": CopyMinus, cpu: Cpu, "credit-card": CreditCard, crop: Crop, database: Database, droplets: Droplets, equal: Equal, eye: Eye,
  file: FileIcon, "file-output": FileOutput, "file-question": FileQuestion, "file-search": FileSearch, "file-text": FileText, filter: Filter,
  fingerprint: Fingerprint, flag: Flag, "folder-open": FolderOpen, "git-branch": GitBranch, globe: Globe, group: Group, heart: Heart,
  image: ImageIcon, "image-plus": ImagePlus, inbox: Inbox, key: Key, languages: Languages, layers: Layers, leaf: Leaf, link: LinkIcon, list: ListIcon,
  "list-collapse": ListCollapse, lock: Lock, mail: Mail, "map-pin": MapPin, "message-circle": MessageCircle, "message-square-text": MessageSquareText,
  mic: Mic, "octagon-x": OctagonX, package: Package, pencil: Pencil, phone: Phone, plug: Plug, printer: Printer, receipt: Receipt, replace: Replace,
  "rotate-cw": RotateCw, rss: Rss, save: Save, scaling: Scaling, scissors: Scissors, search: Search, send: Send, server: Server, shield: Shield,
  "shopping-cart": ShoppingCart, sigma: Sigma, sparkles: Sparkles, stamp: Stamp, star: Star, table: Table, tag: Tag, terminal: Terminal,
  thermometer: Thermometer, timer: Timer, trash: Trash, truck: Truck, user: User, users: Users, video: Video, webhook: Webhook, wrench: Wrench,
  zap: Zap,
};
